using Platform.Codecs;
using Platform.Dicom;

namespace Platform.Imaging;

/// <summary>
/// What a data set says of how one of its frames is to be read and shown: the frame's own functional groups before the shared ones
/// (PS3.3 C.7.6.16), else the data set itself.
/// </summary>
public sealed record FramePresentation
{
    private FramePresentation(FrameDescription frame) => Frame = frame;

    /// <summary>How the stored pixels are to be read.</summary>
    public FrameDescription Frame { get; }

    /// <summary>From stored values to grey, with the first stored VOI LUT or window; for frames of one sample.</summary>
    public GreyMapping Mapping { get; private init; } = new();

    /// <summary>Whether <see cref="Mapping"/> has a window or VOI LUT that the data set stores; without one a window has to be found.</summary>
    public bool HasWindow { get; private init; }

    /// <summary>For PALETTE COLOR.</summary>
    public Palette? Palette { get; private init; }

    /// <summary>Pixel Padding Value (0028,0120): what is no pixel, left out when a window is found.</summary>
    public int? Padding { get; private init; }

    /// <summary>Reads it.</summary>
    /// <param name="dataset">The instance's data set, without pixels.</param>
    /// <param name="frameIndex">0-based.</param>
    /// <exception cref="InvalidFrameException">The data set does not describe a frame that can be shown.</exception>
    public static FramePresentation Read(DicomDataset dataset, int frameIndex)
    {
        var frame = new FrameDescription(
            Required(dataset, DicomTags.Rows), Required(dataset, DicomTags.Columns), dataset.GetInt32(DicomTags.SamplesPerPixel) ?? 1,
            Required(dataset, DicomTags.BitsAllocated), dataset.GetInt32(DicomTags.BitsStored) ?? Required(dataset, DicomTags.BitsAllocated),
            dataset.GetInt32(DicomTags.PixelRepresentation) == 1, dataset.GetInt32(DicomTags.PlanarConfiguration) == 1, ToPhotometric(dataset.GetString(DicomTags.PhotometricInterpretation)));
        if (dataset.GetInt32(DicomTags.HighBit) is { } high && high != frame.BitsStored - 1) throw new InvalidFrameException($"A high bit of {high} with {frame.BitsStored} bits stored is not supported.");

        var values = Group(dataset, DicomTags.PixelValueTransformationSequence, frameIndex) ?? dataset;
        var modalityLut = dataset.GetItem(DicomTags.ModalityLUTSequence) is { } modality ? LookupTable.TryRead(modality, frame.IsSigned) : null;
        var voi = Group(dataset, DicomTags.FrameVOILUTSequence, frameIndex) ?? dataset;
        // C.11.2.1.1: the input of a VOI LUT is signed where the modality's output can be.
        var voiLut = voi.GetItem(DicomTags.VOILUTSequence) is { } item ? LookupTable.TryRead(item, modalityLut is null && frame.IsSigned) : null;
        var window = ReadWindow(voi);
        var slope = Finite(values.GetDouble(DicomTags.RescaleSlope));
        return new FramePresentation(frame)
        {
            Mapping = new GreyMapping
            {
                Slope = slope is null or 0 ? 1 : slope.Value,
                Intercept = Finite(values.GetDouble(DicomTags.RescaleIntercept)) ?? 0,
                ModalityLut = modalityLut,
                VoiLut = window is null ? voiLut : null,
                Window = window ?? new VoiWindow(128, 256),
                IsInverted = frame.Photometric == Photometric.Monochrome1,
            },
            HasWindow = window is not null || voiLut is not null,
            Palette = frame.Photometric == Photometric.PaletteColor ? Palette.TryRead(dataset, frame.IsSigned) : null,
            Padding = dataset.GetInt32(DicomTags.PixelPaddingValue),
        };
    }

    private static VoiWindow? ReadWindow(DicomDataset voi)
    {
        if (Finite(voi.GetDouble(DicomTags.WindowCenter)) is not { } center || Finite(voi.GetDouble(DicomTags.WindowWidth)) is not { } width || width <= 0) return null;
        return new VoiWindow(center, width, voi.GetString(DicomTags.VOILUTFunction) switch
        {
            "LINEAR_EXACT" => VoiFunction.LinearExact,
            "SIGMOID" => VoiFunction.Sigmoid,
            _ => VoiFunction.Linear,
        });
    }

    private static DicomDataset? Group(DicomDataset dataset, DicomTag sequence, int frameIndex)
    {
        var perFrame = dataset.GetItems(DicomTags.PerFrameFunctionalGroupsSequence);
        return (frameIndex < perFrame.Count ? perFrame[frameIndex].GetItem(sequence) : null)
            ?? dataset.GetItem(DicomTags.SharedFunctionalGroupsSequence)?.GetItem(sequence);
    }

    private static int Required(DicomDataset dataset, DicomTag tag) => dataset.GetInt32(tag) ?? throw new InvalidFrameException($"The data set lacks {tag}.");

    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;

    private static Photometric ToPhotometric(string? text) => text switch
    {
        "MONOCHROME1" => Photometric.Monochrome1,
        "MONOCHROME2" => Photometric.Monochrome2,
        "PALETTE COLOR" => Photometric.PaletteColor,
        "RGB" => Photometric.Rgb,
        "YBR_FULL" => Photometric.YbrFull,
        "YBR_FULL_422" or "YBR_PARTIAL_422" or "YBR_PARTIAL_420" => Photometric.YbrFull422,
        "YBR_ICT" => Photometric.YbrIct,
        "YBR_RCT" => Photometric.YbrRct,
        _ => throw new InvalidFrameException("The photometric interpretation is not known."),
    };
}
