using System.Runtime.InteropServices;

namespace PerfTests.Codecs;

/// <summary>OpenJPH in this process, by the library built from <c>openjph.cpp</c>.</summary>
internal sealed unsafe class OpenJphLibrary(string path) : IDisposable
{
    private readonly nint _library = NativeLibrary.Load(Path.GetFullPath(path));
    private readonly byte[] _target = new byte[64 << 20];

    public ReadOnlySpan<byte> Encode(in CodecFrame frame)
    {
        var encode = (delegate* unmanaged<byte*, int, int, int, int, byte*, long, long>)NativeLibrary.GetExport(_library, "openjph_encode");
        fixed (byte* pixels = frame.Pixels, target = _target)
        {
            var length = encode(pixels, frame.Description.Columns, frame.Description.Rows, frame.Description.BitsStored, frame.Description.IsSigned ? 1 : 0, target, _target.Length);
            return length > 0 ? _target.AsSpan(0, (int)length) : throw new InvalidOperationException("OpenJPH does not encode this frame.");
        }
    }

    public ReadOnlySpan<byte> Decode(ReadOnlySpan<byte> stream, int skip)
    {
        var decode = (delegate* unmanaged<byte*, long, int, byte*, long, long>)NativeLibrary.GetExport(_library, "openjph_decode");
        fixed (byte* source = stream, target = _target)
        {
            var length = decode(source, stream.Length, skip, target, _target.Length);
            return length > 0 ? _target.AsSpan(0, (int)length) : throw new InvalidOperationException("OpenJPH does not decode this stream.");
        }
    }

    public void Dispose() => NativeLibrary.Free(_library);
}
