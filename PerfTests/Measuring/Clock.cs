using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PerfTests.Measuring;

/// <summary>Monotonic nanoseconds, and waiting for one of them without spinning away the CPU that the server needs.</summary>
internal static partial class Clock
{
    private static readonly double NanosecondsPerTick = 1e9 / Stopwatch.Frequency;

    /// <summary>Nanoseconds since some fixed moment.</summary>
    public static long Now => Stopwatch.Frequency == 1_000_000_000 ? Stopwatch.GetTimestamp() : (long)(Stopwatch.GetTimestamp() * NanosecondsPerTick);

    /// <summary>Nanoseconds of CPU that this thread has had, so that what else the machine does counts less; those of the clock where the system does not say.</summary>
    public static long ThreadTime => OperatingSystem.IsLinux() && GetTime(3, out var time) == 0 ? time.Seconds * 1_000_000_000 + time.Nanoseconds : Now;

    /// <summary>Returns at that moment or a little later (about 0.1 ms on Linux); at once when it has passed.</summary>
    public static void WaitUntil(long nanoseconds)
    {
        while (true)
        {
            var left = nanoseconds - Now;
            if (left <= 0) return;
            if (OperatingSystem.IsLinux() && left > 20_000)
            {
                var time = new TimeSpec { Seconds = left / 1_000_000_000, Nanoseconds = left % 1_000_000_000 };
                _ = NanoSleep(in time, 0);
            }
            else
            {
                Thread.SpinWait(20);
            }
        }
    }

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec duration, nint remaining);
}
