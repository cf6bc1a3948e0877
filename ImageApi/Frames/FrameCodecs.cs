using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using Microsoft.Extensions.Options;
using Platform.Codecs;
using Platform.TieredCache;

namespace ImageApi.Frames;

/// <summary>
/// From a frame's stored bytes to its pixels, and from these to another form. The one place where frames are decoded and encoded: a few at a time
/// (<see cref="CodecSlots"/>), in pooled memory, and what was encoded is decoded again and compared before anyone gets it.
/// </summary>
internal sealed class FrameCodecs(FrameEncoders encoders, CodecSlots slots, FramesMetrics metrics, IOptions<FramesOptions> options, TimeProvider time, ILogger<FrameCodecs> logger)
{
    public long MaxFrameBytes => options.Value.MaxFrameBytes;

    /// <summary>Decodes a frame. The caller disposes it.</summary>
    /// <param name="source">The frame as stored.</param>
    /// <param name="syntaxUid">Its transfer syntax.</param>
    /// <param name="expected">What the data set says.</param>
    /// <param name="decode">Bounds, and resolutions to leave out.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="InvalidFrameException">The frame is broken, too large, or contradicts its data set.</exception>
    public async Task<DecodedPixels> DecodeAsync(StoredFrame source, string syntaxUid, FrameDescription expected, DecodeOptions decode, CancellationToken cancellationToken)
    {
        using var slot = await slots.EnterAsync(expected.ByteLength, cancellationToken);
        return Decode(source.Bytes, syntaxUid, expected, decode, cancellationToken);
    }

    /// <summary>The digest of a frame's pixels.</summary>
    /// <exception cref="InvalidFrameException">The frame is broken, too large, or contradicts its data set.</exception>
    public async Task<Digest256> DigestAsync(StoredFrame source, InstanceEntry instance, FrameDescription expected, CancellationToken cancellationToken)
    {
        using var slot = await slots.EnterAsync(expected.ByteLength, cancellationToken);
        using var pixels = DecodeExactly(source.Bytes, FrameForms.StoredSyntaxOf(instance), expected, cancellationToken);
        return PixelDigest.Of(pixels.Frame, pixels.Span, FrameForms.LossyDecoderOf(instance));
    }

    /// <summary>Makes a form of a frame and writes it, with its pixel digest and for progressive forms where each resolution ends.</summary>
    /// <param name="source">The frame as stored.</param>
    /// <param name="instance">Whose frame it is.</param>
    /// <param name="frameIndex">Which, for the log.</param>
    /// <param name="expected">What the data set says.</param>
    /// <param name="form">What to make.</param>
    /// <param name="to">Takes it.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="InvalidFrameException">The source is broken, too large, or contradicts its data set.</exception>
    /// <exception cref="UnfaithfulFrameException">The encoder does not take it, or gave something else.</exception>
    public async Task TranscodeAsync(StoredFrame source, InstanceEntry instance, int frameIndex, FrameDescription expected, FrameForm form, EntryWriter to, CancellationToken cancellationToken)
    {
        using var slot = await slots.EnterAsync(expected.ByteLength, cancellationToken);
        using var pixels = DecodeExactly(source.Bytes, FrameForms.StoredSyntaxOf(instance), expected, cancellationToken);
        var digest = PixelDigest.Of(pixels.Frame, pixels.Span, FrameForms.LossyDecoderOf(instance));
        var header = new EntryHeader(FrameForms.ContentTypeOf(form)) { PixelDigest = digest, Tags = CacheTags.Of(instance) };
        if (form == FrameForm.Raw)
        {
            to.Start(header with { Length = pixels.Span.Length });
            to.Write(pixels.Span);
            return;
        }

        var ends = new List<long>(8);
        using var encoded = Encode(pixels, form, ends, cancellationToken);
        Verify(encoded, pixels, instance, frameIndex, form, cancellationToken);
        to.Start(header with { Length = encoded.Length, Extra = ToBytes(ends) });
        to.Write(encoded.Written.Span);
    }

    /// <summary>The resolution ends that <see cref="TranscodeAsync"/> left beside a value.</summary>
    public static ImmutableArray<long> EndsOf(EntryHeader header)
    {
        var bytes = header.Extra.Span;
        var ends = ImmutableArray.CreateBuilder<long>(bytes.Length / sizeof(long));
        for (; bytes.Length >= sizeof(long); bytes = bytes[sizeof(long)..]) ends.Add(BinaryPrimitives.ReadInt64LittleEndian(bytes));
        return ends.DrainToImmutable();
    }

    private DecodedPixels Decode(ReadOnlySequence<byte> encoded, string syntaxUid, in FrameDescription expected, in DecodeOptions decode, CancellationToken cancellationToken)
    {
        var decoder = FrameDecoders.For(syntaxUid) ?? throw new InvalidFrameException("Frames of this transfer syntax are not decoded.");
        var started = time.GetTimestamp();
        using var pixels = new PooledWriter(decode.MaxFrameBytes, expected.ByteLength >> (2 * decode.ReduceLevels));
        var produced = decoder.Decode(encoded, expected, pixels, decode, cancellationToken);
        metrics.Worked(syntaxUid, "decode", time.GetElapsedTime(started));
        var (rented, length) = pixels.Take();
        return new DecodedPixels(produced, rented, length);
    }

    /// <summary>Decodes into the form that digests are made of and encoders take: bits stored and sign as the data set says, whatever the stream tells.</summary>
    private DecodedPixels DecodeExactly(ReadOnlySequence<byte> encoded, string syntaxUid, in FrameDescription expected, CancellationToken cancellationToken)
    {
        var decoded = Decode(encoded, syntaxUid, expected, new DecodeOptions { MaxFrameBytes = MaxFrameBytes }, cancellationToken);
        if (decoded.Frame.BitsStored == expected.BitsStored && decoded.Frame.IsSigned == expected.IsSigned) return decoded;
        try
        {
            var frame = decoded.Frame with { BitsStored = expected.BitsStored, IsSigned = expected.IsSigned };
            return decoded.As(frame, Narrow);
        }
        catch
        {
            decoded.Dispose();
            throw;
        }
    }

    /// <summary>Streams may tell of more bits than the data set; bits beyond it that say something contradict it, and are not dropped in silence.</summary>
    private static void Narrow(Span<byte> pixels, FrameDescription frame)
    {
        if (frame.BitsStored < frame.BitsAllocated && frame.BitsAllocated is 8 or 16)
        {
            var high = (ushort)((1 << frame.BitsAllocated) - (1 << frame.BitsStored));
            if (frame.BitsAllocated == 8) foreach (var sample in pixels) Check(sample, high, frame);
            else foreach (var sample in MemoryMarshal.Cast<byte, ushort>(pixels)) Check(sample, high, frame);
        }

        SampleBits.Normalize(pixels, frame);

        static void Check(ushort sample, ushort high, FrameDescription frame)
        {
            var beyond = sample & high;
            if (beyond == 0) return;
            var isNegative = frame.IsSigned && (sample >> (frame.BitsStored - 1) & 1) == 1;
            if (!isNegative || beyond != high) throw new InvalidFrameException($"The stream holds samples of more than the {frame.BitsStored} bits that the data set tells of.");
        }
    }

    private PooledWriter Encode(DecodedPixels pixels, FrameForm form, List<long> ends, CancellationToken cancellationToken)
    {
        var encoder = encoders.Of(form);
        var started = time.GetTimestamp();
        var encoded = new PooledWriter(MaxEncodedBytes(MaxFrameBytes), pixels.Span.Length / 2);
        try
        {
            encoder.Encode(pixels.Span, pixels.Frame, encoded, ends, cancellationToken);
            metrics.Worked(encoder.Recipe, "encode", time.GetElapsedTime(started));
            return encoded;
        }
        catch (Exception exception)
        {
            encoded.Dispose();
            if (exception is ArgumentException) throw new UnfaithfulFrameException("The encoder does not take such frames.", exception);
            throw;
        }
    }

    private void Verify(PooledWriter encoded, DecodedPixels pixels, InstanceEntry instance, int frameIndex, FrameForm form, CancellationToken cancellationToken)
    {
        var recipe = encoders.Of(form).Recipe;
        var started = time.GetTimestamp();
        if (IsFaithful())
        {
            metrics.Worked(recipe, "verify", time.GetElapsedTime(started));
            return;
        }

        metrics.Unfaithful(recipe);
        var frame = pixels.Frame;
        logger.Unfaithful(recipe, frame.Columns, frame.Rows, frame.SamplesPerPixel, frame.BitsStored, instance.Content.ToShortString(), frameIndex);
        throw new UnfaithfulFrameException("What was encoded does not decode to the frame.");

        bool IsFaithful()
        {
            try
            {
                using var again = DecodeExactly(new ReadOnlySequence<byte>(encoded.Written), FrameForms.SyntaxOf(form), pixels.Frame, cancellationToken);
                return again.Frame == pixels.Frame && again.Span.SequenceEqual(pixels.Span);
            }
            catch (InvalidFrameException)
            {
                return false;
            }
        }
    }

    private static byte[] ToBytes(List<long> ends)
    {
        var bytes = new byte[ends.Count * sizeof(long)];
        for (var i = 0; i < ends.Count; i++) BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * sizeof(long)), ends[i]);
        return bytes;
    }

    // Noise grows by little when it is encoded; what is much larger than its pixels is no frame.
    public static long MaxEncodedBytes(long frameBytes) => frameBytes + (frameBytes / 2) + (1 << 20);
}
