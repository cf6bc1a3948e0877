using System.Runtime.InteropServices;

namespace PerfTests.Codecs;

/// <summary>Another's codec in this process, by a library that <c>build-peers.sh</c> built.</summary>
/// <param name="name">The codec, with which the names of the library's functions begin.</param>
/// <param name="path">The library.</param>
internal sealed unsafe class PeerCodec(string name, string path) : IDisposable
{
    private readonly nint _library = NativeLibrary.Load(Path.GetFullPath(path));
    private readonly byte[] _target = new byte[64 << 20];

    public string Name => name;

    /// <summary>The peer of that name, null where it was not built.</summary>
    public static PeerCodec? Open(string? folder, string name) =>
        folder is not null && Path.Combine(folder, name + ".so") is var path && File.Exists(path) ? new PeerCodec(name, path) : null;

    public ReadOnlySpan<byte> Encode(CodecFrame frame)
    {
        var encode = (delegate* unmanaged<byte*, int, int, int, int, int, byte*, long, long>)NativeLibrary.GetExport(_library, name + "_encode");
        var d = frame.Description;
        fixed (byte* pixels = frame.Pixels, target = _target)
        {
            var length = encode(pixels, d.Columns, d.Rows, d.SamplesPerPixel, d.BitsStored, d.IsSigned ? 1 : 0, target, _target.Length);
            return length > 0 ? _target.AsSpan(0, (int)length) : throw new InvalidOperationException($"{name} does not encode this frame.");
        }
    }

    public ReadOnlySpan<byte> Decode(ReadOnlySpan<byte> stream, int skip)
    {
        var decode = (delegate* unmanaged<byte*, long, int, byte*, long, long>)NativeLibrary.GetExport(_library, name + "_decode");
        fixed (byte* source = stream, target = _target)
        {
            var length = decode(source, stream.Length, skip, target, _target.Length);
            return length > 0 ? _target.AsSpan(0, (int)length) : throw new InvalidOperationException($"{name} does not decode this stream.");
        }
    }

    public void Dispose() => NativeLibrary.Free(_library);
}
