using System.Collections.Immutable;

namespace Platform.Models;

/// <summary>
/// What a model is: where its files come from, what they must hash to, what goes in and what comes out. Read by <see cref="ManifestReader"/> from <c>models/&lt;name&gt;.json</c>; README.md
/// beside this library has the schema. Immutable.
/// </summary>
public sealed record ModelManifest
{
    /// <summary>Letters, digits, dot, dash and underscore, 64 at most; compared without regard to case.</summary>
    public required string Name { get; init; }

    /// <summary>The model's own version, any short text; a new version is another model to the store.</summary>
    public required string Version { get; init; }

    /// <summary>One line for people; the name where the manifest has none.</summary>
    public required string Title { get; init; }

    /// <summary>What it does and must not be used for, in a sentence or two.</summary>
    public string? Description { get; init; }

    public required ModelTask Task { get; init; }

    /// <summary>An SPDX identifier such as <c>MIT</c>, or a name and address.</summary>
    public required string Licence { get; init; }

    /// <summary>The model card, a path relative to the folder of manifests.</summary>
    public string? Card { get; init; }

    /// <summary>1 to 64 files, in the order in which they are fetched.</summary>
    public required ImmutableArray<ModelFile> Files { get; init; }

    /// <summary>The path, one of <see cref="Files"/>, that the runtime opens: <c>.onnx</c> or <c>.ort</c>. Null where none of them runs as it is: <see cref="RunsAfter"/> says what makes it run.</summary>
    public string? Runs { get; init; }

    /// <summary>What must be done after the download before it runs, a sentence for people. Null where nothing must.</summary>
    public string? RunsAfter { get; init; }

    /// <summary>What goes in, by the graph's names.</summary>
    public required ImmutableArray<ModelInput> Inputs { get; init; }

    /// <summary>What comes out, by the graph's names.</summary>
    public required ImmutableArray<ModelOutput> Outputs { get; init; }

    /// <summary>What the values of a label output mean. Empty where there is none.</summary>
    public ImmutableArray<ModelLabel> Labels { get; init; } = [];

    /// <summary>The manifest as it was read, UTF-8: what packages and the store keep.</summary>
    public required ReadOnlyMemory<byte> Json { get; init; }

    /// <summary>The folder that <see cref="ModelFile.Source"/> is relative to; null for a manifest that came without one.</summary>
    public string? Folder { get; init; }

    /// <summary>The labels' entry for a value; null where it has none.</summary>
    public ModelLabel? LabelOf(int value) => Labels.FirstOrDefault(label => label.Value == value);
}

/// <summary>What kind of answer a model gives; decides which endpoints take it.</summary>
public enum ModelTask
{
    /// <summary>Served by the general endpoints only.</summary>
    Other,

    /// <summary>Labels, probabilities or logits for every pixel or voxel.</summary>
    Segmentation,

    /// <summary>A distance for every pixel.</summary>
    Depth,
}

/// <summary>One file of a model. It has a <see cref="Source"/>, or <see cref="Urls"/>, or both: then the source is tried first.</summary>
public sealed record ModelFile
{
    /// <summary>Its name among the model's files: relative, forward slashes, no <c>..</c>. An ONNX model finds its external data under these names.</summary>
    public required string Path { get; init; }

    /// <summary>A file that ships: a path relative to the manifest's folder.</summary>
    public string? Source { get; init; }

    /// <summary>Addresses of the same bytes, tried in order. https, or http to this machine, unless the fetcher is told otherwise.</summary>
    public ImmutableArray<Uri> Urls { get; init; } = [];

    /// <summary>SHA-256, 64 lower-case digits. Null: pinned at first use and enforced from then on.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Length in bytes. Null: not known before the download.</summary>
    public long? Bytes { get; init; }
}

/// <summary>An input of the graph and how a picture becomes one.</summary>
public sealed record ModelInput
{
    /// <summary>The name in the graph.</summary>
    public required string Name { get; init; }

    public required TensorElement Element { get; init; }

    /// <summary>1 to 8 dimensions.</summary>
    public required ImmutableArray<Dimension> Shape { get; init; }

    /// <summary>What each dimension is: a letter each of N (batch), C (channel), D, H, W, such as <c>NCHW</c>. Null where it is no picture.</summary>
    public string? Layout { get; init; }

    public required InputUnit Unit { get; init; }

    /// <summary>From values in <see cref="Unit"/> to what the graph takes. Never null; does nothing where the manifest says nothing.</summary>
    public Preprocessing Preprocessing { get; init; } = Preprocessing.None;
}

/// <summary>What an input's values are before <see cref="Preprocessing"/>.</summary>
public enum InputUnit
{
    /// <summary>Whatever the caller has.</summary>
    Any,

    /// <summary>Hounsfield units, after rescale slope and intercept; one channel.</summary>
    Hounsfield,

    /// <summary>sRGB as in a picture file, 0 to 255; channels red, green, blue.</summary>
    Rgb,

    /// <summary>As <see cref="Rgb"/>, channels blue, green, red.</summary>
    Bgr,

    /// <summary>Grey, 0 to 255 after windowing; one channel.</summary>
    Grey,
}

/// <summary>The steps from a picture to an input, applied in this order: resample, resize, range, normalise.</summary>
public sealed record Preprocessing
{
    /// <summary>Changes nothing.</summary>
    public static Preprocessing None { get; } = new();

    /// <summary>Volumes: resample to this spacing first, millimetres, in the order of the layout's D, H, W. Empty: as it is.</summary>
    public ImmutableArray<double> SpacingMm { get; init; } = [];

    /// <summary>How rows and columns become the input's; null: as they are.</summary>
    public ResizeStep? Resize { get; init; }

    /// <summary>Clip to <see cref="RangeStep.FromLow"/>..<see cref="RangeStep.FromHigh"/> and map linearly; null: as they are.</summary>
    public RangeStep? Range { get; init; }

    /// <summary>Subtracted per channel after the range; one entry serves all channels; empty: 0.</summary>
    public ImmutableArray<double> Mean { get; init; } = [];

    /// <summary>Divided by per channel after the mean; never 0; empty: 1.</summary>
    public ImmutableArray<double> Std { get; init; } = [];

    /// <summary>What outside the picture is filled with, in the input's unit: padding of <see cref="ResizeMode.Fit"/>, of <see cref="ResizeMode.Pad"/> and of windows at a volume's edge.</summary>
    public double Fill { get; init; }
}

/// <summary>A change of size.</summary>
/// <param name="Mode">How the picture's shape meets the input's.</param>
/// <param name="Filter">How values between pixels are found.</param>
/// <param name="Height">Rows to reach; null: the shape's H.</param>
/// <param name="Width">Columns to reach; null: the shape's W.</param>
/// <param name="MultipleOf">Rows and columns are rounded up to a multiple of this, where the shape leaves them open. 1 at least.</param>
public sealed record ResizeStep(ResizeMode Mode, ResizeFilter Filter, int? Height, int? Width, int MultipleOf);

/// <summary>How a picture's shape meets an input's.</summary>
public enum ResizeMode
{
    /// <summary>Rows and columns each to what is asked; the aspect changes.</summary>
    Stretch,

    /// <summary>As large as fits, aspect kept, the rest filled at the right and bottom.</summary>
    Fit,

    /// <summary>Not resized: filled at the right and bottom up to <see cref="ResizeStep.MultipleOf"/>.</summary>
    Pad,
}

/// <summary>How values between pixels are found. Shrinking always averages what a target pixel covers.</summary>
public enum ResizeFilter
{
    Bilinear,
    Nearest,
    Bicubic,
}

/// <summary>Clips to [<paramref name="FromLow"/>, <paramref name="FromHigh"/>], in the input's unit, and maps that linearly onto [<paramref name="ToLow"/>, <paramref name="ToHigh"/>].</summary>
public sealed record RangeStep(double FromLow, double FromHigh, double ToLow, double ToHigh);

/// <summary>An output of the graph.</summary>
public sealed record ModelOutput
{
    /// <summary>The name in the graph.</summary>
    public required string Name { get; init; }

    public required TensorElement Element { get; init; }

    /// <summary>1 to 8 dimensions; a name that an input has too stands for the same number.</summary>
    public required ImmutableArray<Dimension> Shape { get; init; }

    /// <summary>As <see cref="ModelInput.Layout"/>; C runs over the labels.</summary>
    public string? Layout { get; init; }

    public required OutputUnit Unit { get; init; }

    /// <summary>For a probability or logit of one channel: from this probability on it is label 1. 0.5 where the manifest says nothing.</summary>
    public double Threshold { get; init; } = 0.5;
}

/// <summary>What an output's values are.</summary>
public enum OutputUnit
{
    /// <summary>Whatever the graph gives.</summary>
    Any,

    /// <summary>A label's value each.</summary>
    Label,

    /// <summary>0 to 1; per label along C, or of label 1 where there is one channel.</summary>
    Probability,

    /// <summary>Before softmax along C, or before the sigmoid of label 1 where there is one channel.</summary>
    Logit,

    /// <summary>Relative: larger is nearer, scale and shift are free.</summary>
    InverseDepth,

    /// <summary>Distance in metres.</summary>
    Metre,
}

/// <summary>A label of a segmentation.</summary>
/// <param name="Value">The value in a label output, or the channel's index. 0 to 65535; 0 is the background where a label of that value exists and is named so.</param>
/// <param name="Name">For people.</param>
/// <param name="Color"><c>#rrggbb</c>.</param>
public sealed record ModelLabel(int Value, string Name, string Color);

/// <summary>An element type, as ONNX has them.</summary>
public enum TensorElement
{
    Float32,
    Float16,
    BFloat16,
    Float64,
    Int8,
    UInt8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Bool,
}

/// <summary>A dimension: a number, or a name that stands for any.</summary>
public readonly record struct Dimension
{
    /// <summary>A fixed size, 1 at least.</summary>
    public Dimension(long size) => Size = size;

    /// <summary>A name for any size.</summary>
    public Dimension(string name) => Symbol = name;

    /// <summary>0 where it is open.</summary>
    public long Size { get; }

    /// <summary>Null where it is fixed.</summary>
    public string? Symbol { get; }

    public override string ToString() => Symbol ?? Size.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
