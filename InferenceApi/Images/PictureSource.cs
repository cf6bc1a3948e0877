using System.Security.Cryptography;
using InferenceApi.Segmentation;
using Platform.Codecs;
using Platform.Imaging;
using Platform.Models;
using Platform.Onnx;
using Platform.TieredCache;

namespace InferenceApi.Images;

/// <summary>What a result depends on of a picture.</summary>
/// <param name="Pixels">Its pixels' digest.</param>
/// <param name="Geometry">Rescale, spacing, orientation and position.</param>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="PixelSpacing">Between rows and between columns, mm; null where it has none.</param>
internal sealed record PictureIdentity(Digest256 Pixels, double[] Geometry, int Width, int Height, double[]? PixelSpacing);

/// <summary>
/// A picture that a model is to look at: sent with the request, or held by ImageApi. It is disposed when the answer has been sent, and only then: where a
/// request ends early others may wait for what is being made of it, and its memory is left to the collector.
/// </summary>
internal abstract class PictureSource : IDisposable
{
    /// <summary>What it is, decoded only where nobody has decoded it before.</summary>
    public abstract ValueTask<PictureIdentity> IdentifyAsync(CancellationToken cancellationToken);

    /// <summary>It, as a model's input. The caller disposes the tensor.</summary>
    public abstract Task<(Tensor Input, Placement Placement)> PrepareAsync(ModelInput input, CancellationToken cancellationToken);

    /// <summary>It, as people see it. It belongs to this source.</summary>
    public abstract ValueTask<Picture> ShowAsync(CancellationToken cancellationToken);

    public abstract void Dispose();
}

/// <summary>A picture file that came with the request. What it is is remembered by the file's digest, so that the same file needs no decoding.</summary>
internal sealed class UploadedPicture(ReadOnlyMemory<byte> file, ITieredCache cache, long maxPixels) : PictureSource
{
    private const int FactBytes = Digest256.Size + 2 * sizeof(int);
    private static readonly RecipeId Facts = RecipeId.Of("upload pixels", 1);
    private static readonly EntryPolicy Policy = EntryPolicy.For(EntryKind.Result) with { Remote = true };

    private Picture? _picture;

    public override async ValueTask<PictureIdentity> IdentifyAsync(CancellationToken cancellationToken)
    {
        // Bounds are checked before anything of the file is believed.
        var info = PictureFile.ReadInfo(file.Span);
        if ((long)info.Width * info.Height > maxPixels) throw new InvalidFrameException($"The picture has {info.Width} x {info.Height} pixels, more than the {maxPixels} that are taken.");
        var body = new Digest256(SHA256.HashData(file.Span));
        await using var facts = await cache.GetOrCreateAsync(new CacheKey(body, EntryKind.Result, Facts, 0), this, Policy, static async (upload, to, token) =>
        {
            var picture = await upload.ShowAsync(token);
            to.Start(new EntryHeader("application/octet-stream") { Length = FactBytes });
            var bytes = to.GetMemory(FactBytes);
            DigestOf(picture).CopyTo(bytes.Span);
            BitConverter.TryWriteBytes(bytes.Span[Digest256.Size..], picture.Width);
            BitConverter.TryWriteBytes(bytes.Span[(Digest256.Size + sizeof(int))..], picture.Height);
            to.Advance(FactBytes);
        }, cancellationToken);
        await facts.WaitUntilCompleteAsync(cancellationToken);
        if (facts.TryGetBytes(out var known) && known.Length == FactBytes)
        {
            Span<byte> bytes = stackalloc byte[FactBytes];
            System.Buffers.BuffersExtensions.CopyTo(known, bytes);
            return Identity(new Digest256(bytes[..Digest256.Size]), BitConverter.ToInt32(bytes[Digest256.Size..]), BitConverter.ToInt32(bytes[(Digest256.Size + sizeof(int))..]));
        }

        var shown = await ShowAsync(cancellationToken);
        return Identity(DigestOf(shown), shown.Width, shown.Height);
    }

    public override async Task<(Tensor Input, Placement Placement)> PrepareAsync(ModelInput input, CancellationToken cancellationToken)
    {
        if (input.Unit == InputUnit.Hounsfield) throw new UnsupportedInputException("The model takes Hounsfield units: name a CT frame that the image service holds.");
        var tensor = ModelPicture.Prepare(input, await ShowAsync(cancellationToken), out var placement, cancellationToken);
        return (tensor, placement);
    }

    public override ValueTask<Picture> ShowAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(_picture ??= PictureFile.Decode(file, maxPixels, cancellationToken));

    public override void Dispose() => _picture?.Dispose();

    private static PictureIdentity Identity(Digest256 pixels, int width, int height) => new(pixels, [], width, height, null);

    private static Digest256 DigestOf(Picture picture)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("picture1"u8);
        hash.AppendData(BitConverter.GetBytes(picture.Width));
        hash.AppendData(BitConverter.GetBytes(picture.Height));
        hash.AppendData(BitConverter.GetBytes(picture.Channels));
        hash.AppendData(picture.Pixels);
        Span<byte> digest = stackalloc byte[Digest256.Size];
        hash.GetHashAndReset(digest);
        return new Digest256(digest);
    }
}

/// <summary>A frame that ImageApi holds: identified without its pixels, which are fetched only to be computed with or shown.</summary>
internal sealed class HeldFrame(FrameReference frame, ImageApiClient images, long maxPixels) : PictureSource
{
    private FrameFacts? _facts;
    private Picture? _picture;

    public override async ValueTask<PictureIdentity> IdentifyAsync(CancellationToken cancellationToken)
    {
        var facts = _facts ??= await images.DescribeAsync(frame, cancellationToken);
        var description = facts.Presentation.Frame;
        if ((long)description.Columns * description.Rows > maxPixels) throw new InvalidFrameException($"The frame has {description.Columns} x {description.Rows} pixels, more than the {maxPixels} that are taken.");
        return new PictureIdentity(facts.PixelDigest, facts.Geometry, description.Columns, description.Rows, facts.PixelSpacing);
    }

    public override async Task<(Tensor Input, Placement Placement)> PrepareAsync(ModelInput input, CancellationToken cancellationToken)
    {
        Tensor tensor;
        if (input.Unit != InputUnit.Hounsfield)
        {
            tensor = ModelPicture.Prepare(input, await ShowAsync(cancellationToken), out var shown, cancellationToken);
            return (tensor, shown);
        }

        var facts = _facts ??= await images.DescribeAsync(frame, cancellationToken);
        var description = facts.Presentation.Frame with { IsPlanar = false };
        using var pixels = await images.ReadPixelsAsync(frame, description, cancellationToken);
        var values = System.Buffers.ArrayPool<float>.Shared.Rent(description.Rows * description.Columns);
        try
        {
            FrameTensor.ToModality(pixels.Pixels, description, facts.Presentation.Mapping, values, cancellationToken);
            tensor = ModelPicture.Prepare(input, values.AsSpan(0, description.Rows * description.Columns), description.Columns, description.Rows, out var placement, cancellationToken);
            return (tensor, placement);
        }
        finally
        {
            System.Buffers.ArrayPool<float>.Shared.Return(values);
        }
    }

    public override async ValueTask<Picture> ShowAsync(CancellationToken cancellationToken) => _picture ??= await images.ReadPictureAsync(frame, maxPixels, cancellationToken);

    public override void Dispose() => _picture?.Dispose();
}
