using System.Buffers;
using System.Globalization;
using System.Text.Json;
using InferenceApi.Images;
using InferenceApi.Predictions;
using InferenceApi.ResultCache;
using InferenceApi.Sessions;
using Microsoft.Extensions.Options;
using Platform.Imaging;
using Platform.Models;
using Platform.Onnx;
using Platform.TieredCache;

namespace InferenceApi.Segmentation;

/// <summary>How an overlay is drawn.</summary>
/// <param name="Format">Of the file.</param>
/// <param name="Quality">1 to 100.</param>
/// <param name="Opacity">0 to 1.</param>
internal readonly record struct OverlayForm(PictureFormat Format, int Quality, double Opacity)
{
    private const int Version = 1;

    public RecipeId ToRecipe() => RecipeId.Of("overlay", Version, System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Format};{Quality};{Opacity:0.###}")));
}

/// <summary>Segmentations as values of the tiered cache: made once from a picture's pixels and a model, whoever asks.</summary>
internal sealed class SegmentationService(
    ITieredCache cache, IModelFiles models, ModelIdentities identities, ModelSessions sessions, PredictionService predictions, DeviceProbe device, ResultCounts counts, IOptions<ResultOptions> options)
{
    private const int Effort = 2;
    private readonly EntryPolicy _policy = EntryPolicy.For(EntryKind.Result) with { Remote = true, Ttl = options.Value.Ttl };
    private static readonly EntryPolicy Overlay = EntryPolicy.For(EntryKind.Rendered).WithoutDisk();

    /// <summary>The model for a task.</summary>
    /// <exception cref="ModelException">There is none of that name.</exception>
    /// <exception cref="UnsupportedInputException">It does something else.</exception>
    public ModelManifest FindModel(string name, ModelTask task)
    {
        var model = models.Find(name) ?? throw new ModelException(ModelFault.NotFound, $"There is no model '{name}'.");
        return model.Task == task ? model : throw new UnsupportedInputException($"{model.Name} is no model for this: its task is {model.Task}.");
    }

    /// <summary>What the model finds, as JSON (<see cref="SegmentationResult"/>). The caller disposes the lease.</summary>
    public async Task<CacheLease> SegmentAsync(ModelManifest model, PictureSource picture, string caller, CancellationToken cancellationToken)
    {
        var (lease, _) = await FindAsync(model, picture, caller, cancellationToken);
        return lease;
    }

    /// <summary>What the model finds, laid over the picture. The model runs only where nobody has asked it before. The caller disposes the lease.</summary>
    public async Task<(CacheLease Lease, CacheOutcome Segmented)> RenderAsync(ModelManifest model, PictureSource picture, OverlayForm form, string caller, CancellationToken cancellationToken)
    {
        var (segmented, key) = await FindAsync(model, picture, caller, cancellationToken);
        await using (segmented)
        {
            await segmented.WaitUntilCompleteAsync(cancellationToken);
            var lease = await cache.GetOrCreateAsync(new CacheKey(key.Content, EntryKind.Rendered, form.ToRecipe(), 0), (Segmented: segmented, Picture: picture, Form: form), Overlay,
                static (work, to, token) => DrawAsync(work.Segmented, work.Picture, work.Form, to, token), cancellationToken);
            return (lease, segmented.Outcome);
        }
    }

    private async Task<(CacheLease Lease, CacheKey Key)> FindAsync(ModelManifest model, PictureSource picture, string caller, CancellationToken cancellationToken)
    {
        var identity = await picture.IdentifyAsync(cancellationToken);
        var made = await identities.FindAsync(model, cancellationToken);
        var key = ResultKeys.Of([identity.Pixels], identity.Geometry, made, (ModelPicture.Version, ModelLabels.Version), "segmentation", device.Kind);
        var lease = await cache.GetOrCreateAsync(key, (Service: this, Model: model, Picture: picture, Identity: identity, Caller: caller), _policy,
            static (work, to, token) => work.Service.MakeAsync(work.Model, work.Picture, work.Identity, work.Caller, to, token), cancellationToken);
        counts.Count(lease.Outcome);
        return (lease, key);
    }

    private async Task MakeAsync(ModelManifest model, PictureSource picture, PictureIdentity identity, string caller, EntryWriter to, CancellationToken cancellationToken)
    {
        if (model.Inputs is not [var input] || model.Outputs is not [var output, ..]) throw new UnsupportedInputException($"{model.Name} takes something else than one picture.");
        var segments = new ModelSegments(model);
        using var session = await sessions.AcquireAsync(model.Name, cancellationToken);
        var (tensor, placement) = await picture.PrepareAsync(input, cancellationToken);
        Tensor[] outputs;
        using (tensor)
        {
            using var reserved = predictions.Reserve(2L * tensor.Bytes.Length);
            outputs = await predictions.PredictAsync(session.Model, [tensor], caller, null, cancellationToken);
        }

        SegmentationResult result;
        try
        {
            var found = Array.FindIndex([.. session.Model.Session.Outputs], info => info.Name == output.Name);
            result = Read(model, output, segments, outputs[found], placement, identity);
        }
        finally
        {
            foreach (var one in outputs) one.Dispose();
        }

        to.Start(new EntryHeader("application/json"));
        using var json = new Utf8JsonWriter(to);
        JsonSerializer.Serialize(json, result, SegmentationJson.Default.SegmentationResult);
    }

    private static SegmentationResult Read(ModelManifest model, ModelOutput output, ModelSegments segments, Tensor tensor, in Placement placement, PictureIdentity identity)
    {
        int seen = placement.ModelWidth * placement.ModelHeight, shown = identity.Width * identity.Height;
        var numbers = ArrayPool<byte>.Shared.Rent(seen + shown);
        var confidence = ArrayPool<float>.Shared.Rent(seen + shown);
        try
        {
            var isSure = ModelLabels.Read(output, tensor, placement, segments, numbers.AsSpan(0, seen), confidence.AsSpan(0, seen));
            var ownNumbers = numbers.AsSpan(seen, shown);
            var ownConfidence = isSure ? confidence.AsSpan(seen, shown) : [];
            ModelLabels.Restore(numbers.AsSpan(0, seen), isSure ? confidence.AsSpan(0, seen) : [], placement, ownNumbers, ownConfidence, identity.Width, identity.Height);
            return ModelLabels.Describe(model, segments, ownNumbers, ownConfidence, identity.Width, identity.Height, identity.PixelSpacing);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(numbers);
            ArrayPool<float>.Shared.Return(confidence);
        }
    }

    private static async Task DrawAsync(CacheLease segmented, PictureSource source, OverlayForm form, EntryWriter to, CancellationToken cancellationToken)
    {
        if (!segmented.TryGetBytes(out var json)) throw new IOException("The result is not in memory.");
        var reader = new Utf8JsonReader(json);
        var result = JsonSerializer.Deserialize(ref reader, SegmentationJson.Default.SegmentationResult)!;
        var picture = await source.ShowAsync(cancellationToken);
        Draw(result, picture, form, to, cancellationToken);
    }

    private static void Draw(SegmentationResult result, Picture picture, OverlayForm form, EntryWriter to, CancellationToken cancellationToken)
    {
        var labels = ArrayPool<byte>.Shared.Rent(picture.Width * picture.Height);
        try
        {
            var pixels = labels.AsSpan(0, picture.Width * picture.Height);
            pixels.Clear();
            var colours = new LabelColour[result.Labels.Length];
            for (var i = 0; i < colours.Length; i++)
            {
                var label = result.Labels[i];
                RunLengths.Decode(label.Runs, pixels, picture.Width, label.Region, (byte)(i + 1));
                colours[i] = ModelLabels.ColourOf(label.Color);
            }

            using var blended = LabelOverlay.Blend(picture, pixels, colours, form.Opacity, cancellationToken);
            to.Start(new EntryHeader(PictureWriter.MediaTypeOf(form.Format)));
            PictureWriter.Write(blended, form.Format, form.Quality, Effort, to, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(labels);
        }
    }
}
