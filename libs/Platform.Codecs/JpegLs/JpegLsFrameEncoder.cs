using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Platform.Codecs.JpegLs;

/// <summary>
/// JPEG-LS lossless, 1.2.840.10008.1.2.4.80 (ITU-T T.87 | ISO/IEC 14495-1): 1 to 16 bits, one component, or three interleaved by line.
/// Signed samples go as their two's complement bits, as DICOM has it (PS3.5 8.2.3).
/// </summary>
public sealed class JpegLsFrameEncoder : IFrameEncoder
{
    [ThreadStatic]
    private static JpegLsState? t_state;

    public string Recipe => "jpegls/1";

    public void Encode(ReadOnlySpan<byte> pixels, in FrameDescription frame, IBufferWriter<byte> stream, IList<long>? resolutionEnds, CancellationToken cancellationToken)
    {
        frame.Validate();
        if (frame.BitsAllocated is not (8 or 16)) throw new ArgumentException("JPEG-LS holds samples in containers of 8 or 16 bits.", nameof(frame));
        if (frame.IsPlanar) throw new ArgumentException("The samples of a pixel stand together.", nameof(frame));
        if (pixels.Length != frame.ByteLength) throw new ArgumentException($"{pixels.Length} bytes of pixels, {frame.ByteLength} expected.", nameof(pixels));

        var precision = Math.Max(2, frame.BitsStored);
        var mask = (1 << frame.BitsStored) - 1;
        var (width, components, stride) = (frame.Columns, frame.SamplesPerPixel, frame.Columns + 2);
        WriteHeaders(stream, frame, precision);
        var state = t_state ??= new JpegLsState();
        state.Begin(new JpegLsParameters((1 << precision) - 1, near: 0));
        var writer = new JpegLsBitWriter();
        // No code is longer than the limit, and at most every eighth byte of a line is a stuffed one more.
        var mostPerLine = checked(state.Parameters.Limit * width / 7 + 16);
        var rented = ArrayPool<ushort>.Shared.Rent(2 * components * stride);
        try
        {
            var above = rented.AsSpan(0, components * stride);
            var line = rented.AsSpan(components * stride, components * stride);
            above.Clear();
            line.Clear();
            Span<int> runIndexes = stackalloc int[3];
            runIndexes.Clear();
            for (var row = 0; row < frame.Rows; row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                for (var i = 0; i < components; i++)
                {
                    var up = above.Slice(i * stride, stride);
                    var here = line.Slice(i * stride, stride);
                    here[0] = up[1];
                    up[width + 1] = up[width];
                    Load(pixels, row, i, components, frame.BytesPerSample, mask, here.Slice(1, width));
                    writer.Target = stream.GetSpan(mostPerLine);
                    writer.Length = 0;
                    EncodeLine(ref writer, state, up, here, ref runIndexes[i]);
                    stream.Advance(writer.Length);
                }

                var last = above;
                above = line;
                line = last;
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(rented);
        }

        writer.Target = stream.GetSpan(32);
        writer.Length = 0;
        writer.Finish();
        writer.Target[writer.Length++] = 0xFF;
        writer.Target[writer.Length++] = 0xD9;
        stream.Advance(writer.Length);
    }

    private static void WriteHeaders(IBufferWriter<byte> stream, in FrameDescription frame, int precision)
    {
        var components = frame.SamplesPerPixel;
        var span = stream.GetSpan(64);
        span[0] = 0xFF;
        span[1] = 0xD8;
        span[2] = 0xFF;
        span[3] = 0xF7;
        BinaryPrimitives.WriteUInt16BigEndian(span[4..], (ushort)(8 + 3 * components));
        span[6] = (byte)precision;
        BinaryPrimitives.WriteUInt16BigEndian(span[7..], (ushort)frame.Rows);
        BinaryPrimitives.WriteUInt16BigEndian(span[9..], (ushort)frame.Columns);
        span[11] = (byte)components;
        var at = 12;
        for (var i = 1; i <= components; i++)
        {
            span[at++] = (byte)i;
            span[at++] = 0x11;
            span[at++] = 0;
        }

        span[at++] = 0xFF;
        span[at++] = 0xDA;
        BinaryPrimitives.WriteUInt16BigEndian(span[at..], (ushort)(6 + 2 * components));
        at += 2;
        span[at++] = (byte)components;
        for (var i = 1; i <= components; i++)
        {
            span[at++] = (byte)i;
            span[at++] = 0;
        }

        span[at++] = 0;                                  // NEAR
        span[at++] = (byte)(components == 1 ? 0 : 1);    // interleaved by line
        span[at++] = 0;
        stream.Advance(at);
    }

    private static void Load(ReadOnlySpan<byte> pixels, int row, int component, int components, int bytesPerSample, int mask, Span<ushort> line)
    {
        var samples = line.Length * components;
        if (bytesPerSample == 1)
        {
            var from = pixels.Slice(row * samples, samples);
            for (int i = 0, at = component; i < line.Length; i++, at += components) line[i] = (ushort)(from[at] & mask);
        }
        else
        {
            var from = MemoryMarshal.Cast<byte, ushort>(pixels).Slice(row * samples, samples);
            for (int i = 0, at = component; i < line.Length; i++, at += components) line[i] = (ushort)(from[at] & mask);
        }
    }

    private static void EncodeLine(ref JpegLsBitWriter writer, JpegLsState state, Span<ushort> above, Span<ushort> line, ref int runIndex)
    {
        var parameters = state.Parameters;
        var (maxValue, limit, quantizedBits) = (parameters.MaxValue, parameters.Limit, parameters.QuantizedBits);
        var shift = 32 - quantizedBits;
        ref var gradients = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(state.Gradients), maxValue);
        ref var contexts = ref MemoryMarshal.GetArrayDataReference(state.Regular);
        var width = line.Length - 2;
        int a = line[0], c = above[0], b = above[1];
        for (var x = 1; x <= width;)
        {
            int d = above[x + 1];
            var region = 81 * Unsafe.Add(ref gradients, d - b) + 9 * Unsafe.Add(ref gradients, b - c) + Unsafe.Add(ref gradients, c - a);
            if (region != 0)
            {
                var sign = region >> 31;
                ref var context = ref Unsafe.Add(ref contexts, (region ^ sign) - sign);
                var prediction = Math.Clamp(JpegLsFrameDecoder.Predict(a, b, c) + ((context.C ^ sign) - sign), 0, maxValue);
                var k = context.GetK();
                a = line[x++];
                var error = a - prediction;
                error = ((error ^ sign) - sign) << shift >> shift;      // modulo the range, which is a power of two (A.4.5)
                var mapped = (error << 1) ^ (error >> 31);
                if (k == 0 && 2 * context.B <= -context.N) mapped = (~error << 1) ^ (~error >> 31);
                writer.WriteGolomb(mapped, k, limit, quantizedBits);
                context.Update(error, 1, parameters.Reset);
                c = b;
                b = d;
                continue;
            }

            var rest = line.Slice(x, width - x + 1);
            var end = rest.IndexOfAnyExcept((ushort)a);
            var run = end < 0 ? rest.Length : end;
            WriteRun(ref writer, run, isLineEnd: end < 0, ref runIndex);
            x += run;
            if (end >= 0)
            {
                WriteInterruption(ref writer, state, a, above[x], line[x], runIndex);
                if (runIndex > 0) runIndex--;
                x++;
            }

            a = line[x - 1];
            c = above[x - 1];
            b = above[x];
        }
    }

    private static void WriteRun(ref JpegLsBitWriter writer, int run, bool isLineEnd, ref int runIndex)
    {
        while (run >= 1 << JpegLsState.RunOrder(runIndex))
        {
            writer.Write(1, 1);
            run -= 1 << JpegLsState.RunOrder(runIndex);
            if (runIndex < 31) runIndex++;
        }

        if (isLineEnd)
        {
            if (run > 0) writer.Write(1, 1);
            return;
        }

        writer.Write(0, 1);
        writer.Write((uint)run, JpegLsState.RunOrder(runIndex));
    }

    private static void WriteInterruption(ref JpegLsBitWriter writer, JpegLsState state, int a, int b, int value, int runIndex)
    {
        var parameters = state.Parameters;
        var shift = 32 - parameters.QuantizedBits;
        var type = a == b ? 1 : 0;
        ref var context = ref state.Run[type];
        var error = value - (type == 1 ? a : b);
        if (type == 0 && a > b) error = -error;
        error = error << shift >> shift;
        var k = context.GetK(type);
        var map = (k == 0 && error > 0 && 2 * context.Negatives < context.N) || (error < 0 && (2 * context.Negatives >= context.N || k != 0));
        var mapped = 2 * Math.Abs(error) - type - (map ? 1 : 0);
        writer.WriteGolomb(mapped, k, parameters.Limit - JpegLsState.RunOrder(runIndex) - 1, parameters.QuantizedBits);
        context.Update(error, mapped, type, parameters.Reset);
    }
}
