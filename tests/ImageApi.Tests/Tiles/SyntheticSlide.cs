using System.Buffers;
using Platform.Codecs.Jpeg;
using Platform.Dicom;
using Platform.Imaging;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Tiles;

/// <summary>Makes whole slides whose every pixel is known: level 0 is a formula, each further one its halves' means.</summary>
internal sealed class SyntheticSlide(int width, int height)
{
    public const string Study = "2.25.4000", Series = "2.25.4000.1";

    private readonly List<byte[]> _levels = [];

    public int Width => width;

    public int Height => height;

    public string SeriesUid { get; init; } = Series;

    /// <summary>Frames' width and height.</summary>
    public int FrameSize { get; init; } = 256;

    public bool IsSparse { get; init; }

    public bool IsJpeg { get; init; }

    /// <summary>Of sparse levels: which places have a frame, by column and row.</summary>
    public Func<int, int, bool> Has { get; init; } = static (_, _) => true;

    public static (byte R, byte G, byte B) ColourAt(int x, int y) =>
        ((byte)(128 + 100 * Math.Sin(x / 37.0) * Math.Cos(y / 53.0)), (byte)(x * 255L / 4000), (byte)(255 - y * 255L / 4000));

    /// <summary>Width and height after so many halvings.</summary>
    public (int Width, int Height) SizeOf(int halvings) => (Up(width, halvings), Up(height, halvings));

    /// <summary>RGB of the whole after so many halvings.</summary>
    public byte[] PixelsOf(int halvings)
    {
        if (_levels.Count == 0)
        {
            var pixels = new byte[3 * width * height];
            for (var y = 0; y < height; y++)
                for (var x = 0; x < width; x++)
                    (pixels[3 * (y * width + x)], pixels[3 * (y * width + x) + 1], pixels[3 * (y * width + x) + 2]) = ColourAt(x, y);
            _levels.Add(pixels);
        }
        while (_levels.Count <= halvings)
        {
            var (fromWidth, fromHeight) = SizeOf(_levels.Count - 1);
            var (toWidth, toHeight) = SizeOf(_levels.Count);
            var half = new byte[3 * toWidth * toHeight];
            Resizer.Halve(_levels[^1], fromWidth, fromHeight, 3, half, CancellationToken.None);
            _levels.Add(half);
        }
        return _levels[halvings];
    }

    /// <summary>RGB of a part of a level.</summary>
    public byte[] Cut(int halvings, int left, int top, int cutWidth, int cutHeight)
    {
        var (levelWidth, levelHeight) = SizeOf(halvings);
        var pixels = PixelsOf(halvings);
        var cut = new byte[3 * cutWidth * cutHeight];
        for (var y = 0; y < cutHeight; y++)
        {
            for (var x = 0; x < cutWidth; x++)
            {
                // Frames at the border are padded with white, as scanners do.
                var (fromX, fromY) = (left + x, top + y);
                for (var c = 0; c < 3; c++) cut[3 * (y * cutWidth + x) + c] = fromX < levelWidth && fromY < levelHeight ? pixels[3 * (fromY * levelWidth + fromX) + c] : (byte)255;
            }
        }
        return cut;
    }

    /// <summary>A level as an instance.</summary>
    /// <param name="halvings">0 for the whole.</param>
    /// <param name="part">Of a concatenation: its number from 0, and of how many.</param>
    public DicomBuilder Level(int halvings, (int Number, int Of)? part = null)
    {
        var (levelWidth, levelHeight) = SizeOf(halvings);
        var (columns, rows) = ((levelWidth + FrameSize - 1) / FrameSize, (levelHeight + FrameSize - 1) / FrameSize);
        List<(int Column, int Row)> places = [.. Enumerable.Range(0, columns * rows).Select(i => (i % columns, i / columns)).Where(place => !IsSparse || Has(place.Item1, place.Item2))];
        if (IsSparse) places.Reverse();   // any order will do
        var first = 0;
        if (part is { } piece)
        {
            first = places.Count * piece.Number / piece.Of;
            places = places[first..(places.Count * (piece.Number + 1) / piece.Of)];
        }
        byte[][] frames = [.. places.Select(place => Cut(halvings, place.Column * FrameSize, place.Row * FrameSize, FrameSize, FrameSize))];
        return new DicomBuilder
        {
            StudyUid = Study,
            SeriesUid = SeriesUid,
            InstanceUid = $"{SeriesUid}.{halvings + 1}{(part is null ? "" : $".{part.Value.Number + 1}")}",
            InstanceNumber = halvings + 1,
            Modality = "SM",
            SopClassUid = "1.2.840.10008.5.1.4.1.1.77.1.6",
            Rows = FrameSize,
            Columns = FrameSize,
            Frames = frames.Length,
            BitsAllocated = 8,
            SamplesPerPixel = 3,
            TransferSyntax = IsJpeg ? DicomTransferSyntax.JpegBaseline : DicomTransferSyntax.ExplicitVrLittleEndian,
            CompressedFrame = frame => Jpeg(frames[frame]),
        }.With(dataset =>
        {
            dataset.Set(DicomTags.ImageType, "DERIVED", "PRIMARY", "VOLUME", "NONE");
            dataset.Set(DicomTags.TotalPixelMatrixColumns, levelWidth).Set(DicomTags.TotalPixelMatrixRows, levelHeight);
            dataset.Set(DicomTags.NumberOfFrames, frames.Length);
            dataset.Set(DicomTags.SharedFunctionalGroupsSequence, new DicomDataset().Set(DicomTags.PixelMeasuresSequence, new DicomDataset().Set(DicomTags.PixelSpacing, 0.0005 * (1 << halvings), 0.00025 * (1 << halvings))));
            dataset.Set(DicomTags.OpticalPathSequence, new DicomDataset().Set(DicomTags.ObjectiveLensPower, 20.0));
            if (IsJpeg) dataset.Set(DicomTags.PhotometricInterpretation, "YBR_FULL_422");
            else dataset.Set(DicomTags.PixelData, DicomVr.OB, new ReadOnlyMemory<byte>([.. frames.SelectMany(static frame => frame)]));
            dataset.Set(DicomTags.DimensionOrganizationType, IsSparse ? "TILED_SPARSE" : "TILED_FULL");
            if (IsSparse) dataset.Set(DicomTags.PerFrameFunctionalGroupsSequence, [.. places.Select(place => Place(place.Column * FrameSize, place.Row * FrameSize))]);
            if (part is { } number)
            {
                dataset.Set(DicomTags.ConcatenationUID, $"{SeriesUid}.99.{halvings}").Set(DicomTags.InConcatenationNumber, number.Number + 1)
                    .Set(DicomTags.ConcatenationFrameOffsetNumber, first);
            }
        });
    }

    /// <summary>A frame's functional groups: its place, from 0.</summary>
    public static DicomDataset Place(int left, int top) => new DicomDataset().Set(DicomTags.PlanePositionSlideSequence,
        new DicomDataset().Set(DicomTags.ColumnPositionInTotalImagePixelMatrix, left + 1).Set(DicomTags.RowPositionInTotalImagePixelMatrix, top + 1));

    public void Save(string folder, params int[] halvings)
    {
        foreach (var level in halvings) Level(level).Save(Path.Combine(folder, $"level{level}.dcm"));
    }

    private byte[] Jpeg(byte[] pixels)
    {
        var stream = new ArrayBufferWriter<byte>();
        new JpegFrameEncoder().Encode(pixels, FrameSize, FrameSize, 3, 92, stream, CancellationToken.None);
        return stream.WrittenSpan.ToArray();
    }

    private static int Up(int length, int halvings) => (length + (1 << halvings) - 1) >> halvings;
}
