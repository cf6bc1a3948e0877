using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Platform.Codecs.JpegLs;

/// <summary>
/// JPEG-LS lossless and near-lossless, 1.2.840.10008.1.2.4.80 and .81 (ITU-T T.87 | ISO/IEC 14495-1): 2 to 16 bits, one or three
/// components, in any interleave mode. Restart intervals, mapping tables and colour transforms, which DICOM does not use, are refused.
/// </summary>
public sealed class JpegLsFrameDecoder : IFrameDecoder
{
    private interface IMode
    {
        static abstract bool IsPlainLossless { get; }
    }

    private readonly struct PlainLossless : IMode
    {
        public static bool IsPlainLossless => true;
    }

    private readonly struct AnyMode : IMode
    {
        public static bool IsPlainLossless => false;
    }

    public FrameDescription Decode(ReadOnlySequence<byte> encoded, in FrameDescription expected, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken)
    {
        var length = FrameLimits.Check(expected, options);
        using var pooled = PooledBytes.Contiguous(encoded, out var bytes);
        var headers = JpegLsHeaders.Begin(bytes);
        try
        {
            return Decode(bytes, headers, expected, length, pixels, cancellationToken);
        }
        catch (InvalidFrameException exception)
        {
            exception.Locate(headers.Marker, headers.Position);
            throw;
        }
    }

    private static FrameDescription Decode(ReadOnlySpan<byte> bytes, JpegLsHeaders headers, in FrameDescription expected, int length, IBufferWriter<byte> pixels, CancellationToken cancellationToken)
    {
        if (!headers.ReadToScan(bytes, out var scan)) throw new InvalidFrameException("The frame has no scan.", headers.Position);
        if (headers.Width != expected.Columns || headers.Height != expected.Rows || headers.ComponentCount != expected.SamplesPerPixel)
            throw new InvalidFrameException($"The stream holds {headers.Width} x {headers.Height} x {headers.ComponentCount}, {expected.Columns} x {expected.Rows} x {expected.SamplesPerPixel} expected.");
        if (expected.BitsAllocated is not (8 or 16) || headers.Precision > expected.BitsAllocated) throw new InvalidFrameException($"Samples of {headers.Precision} bits do not fit {expected.BitsAllocated}.");

        using var frame = PooledBytes.Zeroed(length);
        var decoded = 0;
        do
        {
            for (var i = 0; i < scan.Count; i++)
            {
                var bit = 1 << (scan.First + i);
                if ((decoded & bit) != 0) throw new InvalidFrameException("A component has two scans.", headers.Position);
                decoded |= bit;
            }

            DecodeScan(bytes, headers, scan, frame.Span, expected.BytesPerSample, cancellationToken);
        }
        while (decoded != (1 << headers.ComponentCount) - 1 && headers.ReadToScan(bytes, out scan));
        if (decoded != (1 << headers.ComponentCount) - 1) throw new InvalidFrameException("A component has no scan.", headers.Position);

        var produced = expected with { IsPlanar = false };
        SampleBits.Normalize(frame.Span, produced);
        pixels.Write(frame.Span);
        return produced;
    }

    private static void DecodeScan(ReadOnlySpan<byte> bytes, JpegLsHeaders headers, in JpegLsScan scan, Span<byte> frame, int bytesPerSample, CancellationToken cancellationToken)
    {
        var parameters = headers.GetParameters(scan.Near);
        if (parameters.MaxValue >= 1 << headers.Precision) throw new InvalidFrameException("The largest sample does not fit the precision.", headers.Position);
        var state = headers.State;
        state.Begin(parameters);
        var reader = new JpegLsBitReader(bytes, headers.Position);
        var (width, stride) = (headers.Width, headers.Width + 2);
        var rented = ArrayPool<ushort>.Shared.Rent(2 * scan.Count * stride);
        try
        {
            var above = rented.AsSpan(0, scan.Count * stride);
            var line = rented.AsSpan(scan.Count * stride, scan.Count * stride);
            above.Clear();
            line.Clear();
            Span<int> runIndexes = stackalloc int[4];
            runIndexes.Clear();
            for (var row = 0; row < headers.Height; row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                for (var i = 0; i < scan.Count; i++)
                {
                    // A.2.1: what lies left of the image is the pixel above, what lies right of the line above its last pixel.
                    line[i * stride] = above[i * stride + 1];
                    above[i * stride + width + 1] = above[i * stride + width];
                }

                if (scan.Interleave == 2)
                {
                    DecodePixels(ref reader, state, above, line, stride, scan.Count, ref runIndexes[0]);
                }
                else
                {
                    for (var i = 0; i < scan.Count; i++)
                    {
                        if (parameters.IsPlainLossless) DecodeLine<PlainLossless>(ref reader, state, above.Slice(i * stride, stride), line.Slice(i * stride, stride), ref runIndexes[i]);
                        else DecodeLine<AnyMode>(ref reader, state, above.Slice(i * stride, stride), line.Slice(i * stride, stride), ref runIndexes[i]);
                    }
                }

                for (var i = 0; i < scan.Count; i++)
                    Store(line.Slice(i * stride + 1, width), frame, row, scan.First + i, headers.ComponentCount, bytesPerSample, scan.PointTransform);
                var last = above;
                above = line;
                line = last;
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(rented);
        }

        headers.Position = reader.FindEnd();
    }

    private static void Store(ReadOnlySpan<ushort> line, Span<byte> frame, int row, int component, int components, int bytesPerSample, int shift)
    {
        var samples = line.Length * components;
        if (bytesPerSample == 1)
        {
            var to = frame.Slice(row * samples, samples);
            for (int i = 0, at = component; i < line.Length; i++, at += components) to[at] = (byte)(line[i] << shift);
        }
        else
        {
            var to = MemoryMarshal.Cast<byte, ushort>(frame).Slice(row * samples, samples);
            if (components == 1 && shift == 0) line.CopyTo(to);
            else for (int i = 0, at = component; i < line.Length; i++, at += components) to[at] = (ushort)(line[i] << shift);
        }
    }

    /// <summary>One line of one component. Both lines begin one sample left of the image and end one right of it.</summary>
    private static void DecodeLine<TMode>(ref JpegLsBitReader reader, JpegLsState state, Span<ushort> above, Span<ushort> line, ref int runIndex)
        where TMode : struct, IMode
    {
        var parameters = state.Parameters;
        var (maxValue, reset, limit, quantizedBits) = (parameters.MaxValue, parameters.Reset, parameters.Limit, parameters.QuantizedBits);
        var longest = limit - quantizedBits - 1;
        ref var gradients = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(state.Gradients), maxValue);
        ref var contexts = ref MemoryMarshal.GetArrayDataReference(state.Regular);
        var width = line.Length - 2;
        // Kept in locals, so that they stay in registers; given back before anything else reads.
        var (bits, count) = (reader.Bits, reader.Count);
        int a = line[0], c = above[0], b = above[1];
        for (var x = 1; x <= width;)
        {
            int d = above[x + 1];
            var region = 81 * Unsafe.Add(ref gradients, d - b) + 9 * Unsafe.Add(ref gradients, b - c) + Unsafe.Add(ref gradients, c - a);
            if (region != 0)
            {
                var sign = region >> 31;
                ref var context = ref Unsafe.Add(ref contexts, (region ^ sign) - sign);
                var prediction = Math.Clamp(Predict(a, b, c) + ((context.C ^ sign) - sign), 0, maxValue);
                var k = context.GetK();
                if (count < 48)
                {
                    (reader.Bits, reader.Count) = (bits, count);
                    reader.Fill();
                    (bits, count) = (reader.Bits, reader.Count);
                }

                var zeros = BitOperations.LeadingZeroCount(bits);
                int mapped;
                if (zeros < longest && zeros + 1 + k <= count)
                {
                    var rest = bits << zeros << 1;
                    mapped = (zeros << k) | (int)(rest >> 1 >> (63 - k));
                    bits = rest << k;
                    count -= zeros + 1 + k;
                }
                else
                {
                    (reader.Bits, reader.Count) = (bits, count);
                    mapped = reader.ReadGolomb(k, limit, quantizedBits);
                    (bits, count) = (reader.Bits, reader.Count);
                }

                if (mapped > 2 * parameters.Range) throw new InvalidFrameException("An error is larger than the samples.", reader.Position);
                var error = (mapped >> 1) ^ -(mapped & 1);
                if (TMode.IsPlainLossless)
                {
                    if (k == 0 && 2 * context.B <= -context.N) error = ~error;
                    context.Update(error, 1, reset);
                    a = (prediction + ((error ^ sign) - sign)) & maxValue;
                }
                else
                {
                    if (k == 0 && parameters.Near == 0 && 2 * context.B <= -context.N) error = ~error;
                    context.Update(error, 2 * parameters.Near + 1, reset);
                    a = Reconstruct(parameters, prediction, (error ^ sign) - sign);
                }

                line[x++] = (ushort)a;
                c = b;
                b = d;
                continue;
            }

            (reader.Bits, reader.Count) = (bits, count);
            var run = ReadRun(ref reader, width - x + 1, ref runIndex);
            line.Slice(x, run).Fill((ushort)a);
            x += run;
            if (x <= width)
            {
                line[x] = (ushort)ReadInterruption(ref reader, state, a, above[x], runIndex, isSampleInterleaved: false);
                if (runIndex > 0) runIndex--;
                x++;
            }

            (bits, count) = (reader.Bits, reader.Count);
            a = line[x - 1];
            c = above[x - 1];
            b = above[x];
        }

        (reader.Bits, reader.Count) = (bits, count);
    }

    /// <summary>One line of all components, pixel by pixel (interleave mode 2, A.7.1.2 with annex B).</summary>
    private static void DecodePixels(ref JpegLsBitReader reader, JpegLsState state, Span<ushort> above, Span<ushort> line, int stride, int components, ref int runIndex)
    {
        var parameters = state.Parameters;
        var width = stride - 2;
        Span<int> regions = stackalloc int[4];
        for (var x = 1; x <= width;)
        {
            var isRun = true;
            for (var i = 0; i < components; i++)
            {
                var at = i * stride + x;
                int a = line[at - 1], b = above[at], c = above[at - 1], d = above[at + 1];
                regions[i] = 81 * state.Gradients[d - b + parameters.MaxValue] + 9 * state.Gradients[b - c + parameters.MaxValue] + state.Gradients[c - a + parameters.MaxValue];
                isRun &= regions[i] == 0;
            }

            if (!isRun)
            {
                for (var i = 0; i < components; i++)
                {
                    var at = i * stride + x;
                    line[at] = (ushort)ReadRegular(ref reader, state, regions[i], line[at - 1], above[at], above[at - 1]);
                }

                x++;
                continue;
            }

            var run = ReadRun(ref reader, width - x + 1, ref runIndex);
            for (var i = 0; i < components; i++) line.Slice(i * stride + x, run).Fill(line[i * stride + x - 1]);
            x += run;
            if (x > width) return;
            for (var i = 0; i < components; i++)
            {
                var at = i * stride + x;
                line[at] = (ushort)ReadInterruption(ref reader, state, line[at - 1], above[at], runIndex, isSampleInterleaved: true);
            }

            if (runIndex > 0) runIndex--;
            x++;
        }
    }

    private static int ReadRegular(ref JpegLsBitReader reader, JpegLsState state, int region, int a, int b, int c)
    {
        var parameters = state.Parameters;
        var sign = region >> 31;
        ref var context = ref state.Regular[(region ^ sign) - sign];
        var prediction = Math.Clamp(Predict(a, b, c) + ((context.C ^ sign) - sign), 0, parameters.MaxValue);
        var k = context.GetK();
        var mapped = reader.ReadGolomb(k, parameters.Limit, parameters.QuantizedBits);
        if ((uint)mapped > 2 * parameters.Range) throw new InvalidFrameException("An error is larger than the samples.", reader.Position);
        var error = (mapped >> 1) ^ -(mapped & 1);
        if (k == 0 && parameters.Near == 0 && 2 * context.B <= -context.N) error = ~error;
        context.Update(error, 2 * parameters.Near + 1, parameters.Reset);
        return Reconstruct(parameters, prediction, (error ^ sign) - sign);
    }

    /// <summary>How many pixels go on like the last one (A.7.1.2).</summary>
    private static int ReadRun(ref JpegLsBitReader reader, int most, ref int runIndex)
    {
        var run = 0;
        while (reader.Read(1) == 1)
        {
            var segment = 1 << JpegLsState.RunOrder(runIndex);
            var take = Math.Min(segment, most - run);
            run += take;
            if (take == segment && runIndex < 31) runIndex++;
            if (run == most) return run;
        }

        run += reader.Read(JpegLsState.RunOrder(runIndex));
        // A run that fills the line is written without its end (A.7.1.2): one that says otherwise is broken.
        return run < most ? run : throw new InvalidFrameException("A run leaves its line.", reader.Position);
    }

    /// <summary>The pixel that ends a run (A.7.2).</summary>
    private static int ReadInterruption(ref JpegLsBitReader reader, JpegLsState state, int a, int b, int runIndex, bool isSampleInterleaved)
    {
        var parameters = state.Parameters;
        var type = !isSampleInterleaved && Math.Abs(a - b) <= parameters.Near ? 1 : 0;
        ref var context = ref state.Run[type];
        var k = context.GetK(type);
        var mapped = reader.ReadGolomb(k, parameters.Limit - JpegLsState.RunOrder(runIndex) - 1, parameters.QuantizedBits);
        if ((uint)mapped > 2 * parameters.Range) throw new InvalidFrameException("An error is larger than the samples.", reader.Position);
        var doubled = mapped + type;
        var map = doubled & 1;
        var error = (doubled + map) / 2;
        if ((k != 0 || 2 * context.Negatives >= context.N) == (map == 1)) error = -error;
        context.Update(error, mapped, type, parameters.Reset);
        return Reconstruct(parameters, type == 1 ? a : b, type == 0 && a > b ? -error : error);
    }

    /// <summary>The sample of a prediction and an error (A.4.5, A.5.2): modulo the range, then within the samples' limits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Reconstruct(in JpegLsParameters parameters, int prediction, int error)
    {
        var step = 2 * parameters.Near + 1;
        var value = prediction + error * step;
        if (value < -parameters.Near) value += parameters.Range * step;
        else if (value > parameters.MaxValue + parameters.Near) value -= parameters.Range * step;
        return Math.Clamp(value, 0, parameters.MaxValue);
    }

    /// <summary>The median edge detector (A.4.1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Predict(int a, int b, int c)
    {
        var (low, high) = (Math.Min(a, b), Math.Max(a, b));
        return c >= high ? low : c <= low ? high : a + b - c;
    }
}
