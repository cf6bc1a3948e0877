using System.Buffers;

namespace Platform.Codecs.Jpeg;

/// <summary>
/// The entropy-coded data from one marker to the next (T.81 F.1.2.3): copied without its stuffed zero bytes, so that reading bits
/// needs no look at each byte. The buffer is rented for a frame; who made it disposes it.
/// </summary>
internal sealed unsafe class EntropySegment : IDisposable
{
    private byte[]? _buffer;
    private MemoryHandle _pin;
    private byte* _clean;
    private int _start, _length;

    /// <summary>Where the data ends in the frame: at a marker, or the frame's end.</summary>
    public int End { get; private set; }

    /// <summary>Takes the segment that begins at <paramref name="position"/>.</summary>
    public EntropyReader Begin(ReadOnlySpan<byte> frame, int position)
    {
        Rent(frame.Length - position + EntropyReader.Padding);
        _start = position;
        var target = new Span<byte>(_clean, _buffer!.Length);
        _length = 0;
        while (true)
        {
            var rest = frame[position..];
            var count = rest.IndexOf((byte)0xFF);
            var isLast = count < 0;
            if (isLast) count = rest.Length;
            rest[..count].CopyTo(target[_length..]);
            _length += count;
            position += count;
            if (isLast || count + 1 >= rest.Length || rest[count + 1] != 0) break;
            target[_length++] = 0xFF;
            position += 2;
        }
        End = position;
        target.Slice(_length, EntropyReader.Padding).Clear();
        return new EntropyReader(_clean, _clean + _length);
    }

    /// <summary>Takes the restart marker that has to stand here, and the segment behind it (T.81 F.2.2.4).</summary>
    public EntropyReader Restart(ReadOnlySpan<byte> frame, in EntropyReader reader, int expected)
    {
        if (reader.BytesLeft > 0) throw Broken(frame, reader, "Entropy-coded data goes on where a restart marker was expected.");
        var at = End;
        while (at + 1 < frame.Length && frame[at] == 0xFF && frame[at + 1] == 0xFF) at++;   // fill bytes
        if (at + 1 >= frame.Length || frame[at] != 0xFF || frame[at + 1] != JpegMarker.Rst0 + (expected & 7)) throw new InvalidFrameException("A restart marker is missing.", at);
        return Begin(frame, at + 2);
    }

    /// <summary>Where the next marker that is no restart stands. Whatever stands between, as some encoders leave, is passed over.</summary>
    public int FindEnd(ReadOnlySpan<byte> frame)
    {
        var at = End;
        while (at + 1 < frame.Length && !(frame[at] == 0xFF && frame[at + 1] is not (0 or 0xFF) && frame[at + 1] is < JpegMarker.Rst0 or > JpegMarker.Rst7)) at++;
        return at + 1 < frame.Length ? at : frame.Length;
    }

    /// <summary>What is wrong at the reader; that the data is cut off where the reader is beyond its end.</summary>
    public InvalidFrameException Broken(ReadOnlySpan<byte> frame, in EntropyReader reader, string message)
    {
        if (reader.IsCutOff) return new InvalidFrameException("The entropy-coded data is cut off.", End);
        var at = _start;
        for (var taken = _length - reader.BytesLeft; taken > 0 && at < End; taken--) at += frame[at] == 0xFF ? 2 : 1;
        return new InvalidFrameException(message, at);
    }

    public void Dispose()
    {
        if (_buffer is null) return;
        _pin.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
    }

    private void Rent(int length)
    {
        if (_buffer is not null && _buffer.Length >= length) return;
        Dispose();
        _buffer = ArrayPool<byte>.Shared.Rent(length);
        _pin = _buffer.AsMemory().Pin();
        _clean = (byte*)_pin.Pointer;
    }
}
