using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using PerfTests.Measuring;

namespace PerfTests.Browser;

/// <summary>
/// A slow line between this machine and a network namespace: two TUN devices, and packets carried between them with a delay, at a rate, and dropped
/// where the queue is full, each direction for itself. TCP on it is the kernel's own: slow start, windows and all. Needs Linux, root and iproute2.
/// </summary>
internal sealed partial class TunLink : IDisposable
{
    private const int MaxPacket = 2048;
    private const ushort TunWithoutHeader = 0x0001 | 0x1000; // IFF_TUN | IFF_NO_PI
    private const nuint SetInterface = 0x400454ca; // TUNSETIFF

    private readonly string _name = $"perf{Environment.ProcessId % 100000}";
    private readonly List<SafeFileHandle> _devices = [];
    private readonly List<Direction> _directions = [];

    private TunLink()
    {
    }

    /// <summary>This machine's address on the line.</summary>
    public string Address => "10.203.117.1";

    /// <summary>Whether this process may make one.</summary>
    public static bool IsAvailable => OperatingSystem.IsLinux() && Environment.UserName == "root" && File.Exists("/dev/net/tun") && Run("ip", "-V");

    /// <summary>The command that runs <paramref name="program"/> at the other end.</summary>
    public string[] CommandAtOtherEnd(string program) => ["ip", "netns", "exec", _name, program];

    /// <param name="rate">In bits per second, each way.</param>
    /// <param name="roundTrip">Half of it each way.</param>
    public static TunLink Open(double rate, TimeSpan roundTrip)
    {
        var link = new TunLink();
        try
        {
            var (near, far) = (link._name + "a", link._name + "b");
            var (here, there) = (link.OpenDevice(near), link.OpenDevice(far));
            Must("ip", "netns", "add", link._name);
            Must("ip", "link", "set", far, "netns", link._name);
            Must("ip", "address", "add", "10.203.117.1/30", "dev", near);
            Must("ip", "link", "set", near, "up");
            Must("ip", "netns", "exec", link._name, "ip", "link", "set", "lo", "up");
            Must("ip", "netns", "exec", link._name, "ip", "address", "add", "10.203.117.2/30", "dev", far);
            Must("ip", "netns", "exec", link._name, "ip", "link", "set", far, "up");
            link._directions.Add(new Direction(here, there, rate, roundTrip / 2));
            link._directions.Add(new Direction(there, here, rate, roundTrip / 2));
            return link;
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var direction in _directions) direction.Stop();
        Run("ip", "netns", "delete", _name);
        Run("ip", "link", "delete", _name + "a"); // wakes who reads it
        foreach (var direction in _directions) direction.Join();
        foreach (var device in _devices) device.Dispose();
    }

    private SafeFileHandle OpenDevice(string name)
    {
        var device = File.OpenHandle("/dev/net/tun", FileMode.Open, FileAccess.ReadWrite);
        _devices.Add(device);
        Span<byte> request = stackalloc byte[40];
        request.Clear();
        System.Text.Encoding.ASCII.GetBytes(name, request);
        BitConverter.TryWriteBytes(request[16..], TunWithoutHeader);
        if (Control(device, SetInterface, ref MemoryMarshal.GetReference(request)) < 0) throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{name} cannot be made");
        return device;
    }

    private static void Must(string program, params string[] arguments)
    {
        if (!Run(program, arguments)) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed.");
    }

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true });
            process!.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle device, nuint request, ref byte argument);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle device, ref byte buffer, nint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle device, ref byte buffer, nint count);

    /// <summary>One way: a reader that says when each packet is due, and a writer that waits for it.</summary>
    private sealed class Direction
    {
        private readonly BlockingCollection<(long Due, byte[] Packet, int Length)> _queue = [];
        private readonly Thread _reader;
        private readonly Thread _writer;
        private volatile bool _isStopping;

        public Direction(SafeFileHandle from, SafeFileHandle to, double rate, TimeSpan delay)
        {
            _reader = new Thread(() => ReadAll(from, rate, (long)(delay.TotalMilliseconds * 1e6))) { IsBackground = true, Priority = ThreadPriority.AboveNormal };
            _writer = new Thread(() => WriteAll(to)) { IsBackground = true, Priority = ThreadPriority.AboveNormal };
            _reader.Start();
            _writer.Start();
        }

        public void Stop() => _isStopping = true;

        public void Join()
        {
            _reader.Join(TimeSpan.FromSeconds(2));
            _writer.Join(TimeSpan.FromSeconds(2));
        }

        private void ReadAll(SafeFileHandle from, double rate, long delay)
        {
            // A queue of 100 ms at the line's rate, as a home router's: what comes on top is lost.
            const long LongestQueue = 100_000_000;
            var free = 0L; // when the line has sent all that it took
            var buffer = new byte[MaxPacket];
            while (!_isStopping)
            {
                var length = (int)Read(from, ref buffer[0], buffer.Length);
                if (length <= 0) break;
                var now = Clock.Now;
                free = Math.Max(free, now);
                if (free - now > LongestQueue) continue;
                free += (long)(length * 8 / rate * 1e9);
                _queue.Add((free + delay, buffer.AsSpan(0, length).ToArray(), length));
            }

            _queue.CompleteAdding();
        }

        private void WriteAll(SafeFileHandle to)
        {
            foreach (var (due, packet, length) in _queue.GetConsumingEnumerable())
            {
                if (_isStopping) return;
                Clock.WaitUntil(due);
                _ = Write(to, ref packet[0], length);
            }
        }
    }
}
