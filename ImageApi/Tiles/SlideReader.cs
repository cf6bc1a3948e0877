using ImageApi.Catalog;
using ImageApi.Retrieve;
using Platform.Codecs;
using Platform.Dicom;
using Platform.Imaging;
using Platform.TieredCache;

namespace ImageApi.Tiles;

/// <summary>
/// Finds the pyramid among the instances of a whole slide (PS3.3 A.32.8): the VOLUME images, each a level, put together from several instances where it is a
/// concatenation; and the label, overview and thumbnail beside them. A level whose size is not the finest one's halved some times over is left out:
/// what it would have given is made from the next finer one.
/// </summary>
internal static class SlideReader
{
    /// <summary>VL Whole Slide Microscopy Image Storage.</summary>
    public const string SopClassUid = "1.2.840.10008.5.1.4.1.1.77.1.6";

    private const int MaxInstances = 4096, MaxSparseFrames = 1 << 20;

    public static bool IsSlide(InstanceEntry instance) => instance.SopClassUid == SopClassUid && instance.HasPixels;

    /// <summary>Reads the pyramid of a series. Null when none of its images is a part of one.</summary>
    /// <exception cref="InvalidFrameException">The instances contradict themselves or each other.</exception>
    public static async Task<Pyramid?> ReadAsync(IReadOnlyList<InstanceEntry> instances, InstanceHeaders headers, CancellationToken cancellationToken)
    {
        InstanceEntry[] slides = [.. instances.Where(IsSlide)];
        if (slides.Length > MaxInstances) throw new InvalidFrameException($"A slide of {slides.Length} instances is more than is read here.");
        var parts = new List<Part>(slides.Length);
        var associated = new List<AssociatedImage>();
        await foreach (var (instance, file) in headers.ReadAsync(slides, cancellationToken))
        {
            // PS3.3 C.8.12.4.1.1: value 3 of the Image Type.
            switch (file.Dataset.GetString(DicomTags.ImageType, 2))
            {
                case "LABEL" or "OVERVIEW" or "THUMBNAIL" when FramePixelsCan(instance):
                    associated.Add(new AssociatedImage(file.Dataset.GetString(DicomTags.ImageType, 2)!.ToLowerInvariant(), instance));
                    break;
                case "LABEL" or "OVERVIEW" or "THUMBNAIL":
                    break;
                default:
                    parts.Add(Part.Read(instance, file.Dataset));
                    break;
            }
        }
        return parts.Count == 0 ? null : Assemble(parts, associated);
    }

    private static bool FramePixelsCan(InstanceEntry instance) => Rendered.FramePixels.CanDecode(instance);

    private static Pyramid Assemble(List<Part> parts, List<AssociatedImage> associated)
    {
        // Of several of one size (planes of focus, channels apart) the first is shown.
        var images = parts.GroupBy(static part => part.Concatenation ?? part.Instance.SopUid, StringComparer.Ordinal)
            .Select(static group => group.ToArray())
            .GroupBy(static group => (group[0].Width, group[0].Height))
            .Select(static same => same.OrderBy(static group => group[0].Instance.Number ?? int.MaxValue).ThenBy(static group => group[0].Instance.SopUid, StringComparer.Ordinal).First())
            .OrderByDescending(static group => (long)group[0].Width * group[0].Height)
            .ToList();
        var finest = images[0][0];
        var grid = new TileGrid(finest.Width, finest.Height);
        var levels = new List<StoredLevel>();
        var content = new DigestBuilder(stackalloc byte[1024], "pyramid1"u8);
        foreach (var image in images)
        {
            if (LevelOf(grid, image[0].Width, image[0].Height) is not { } level || levels.Exists(known => known.Level == level)) continue;
            levels.Add(ToLevel(image, level));
            content.Add(level);
            foreach (var (_, instance) in levels[^1].Parts) content.Add(instance.Content);
        }
        return new Pyramid
        {
            Content = content.Finish(),
            Grid = grid,
            Stored = levels,
            Associated = associated,
            Spacing = finest.Spacing,
            ObjectivePower = finest.ObjectivePower,
            Absent = finest.Absent,
            Channels = levels.Max(static level => ChannelsOf(level.Presentation)),
            IsSlide = true,
        };
    }

    public static int ChannelsOf(FramePresentation presentation) => presentation.Frame.SamplesPerPixel == 3 || presentation.Frame.Photometric == Photometric.PaletteColor ? 3 : 1;

    /// <summary>The level that a stored size is: the grid's, or less by no more than what rounding down at each step leaves out.</summary>
    private static int? LevelOf(TileGrid grid, int width, int height)
    {
        for (var level = grid.MaxLevel; level >= 0; level--)
        {
            if (grid.WidthAt(level) - width is 0 or 1 && grid.HeightAt(level) - height is 0 or 1) return level;
        }
        return null;
    }

    private static StoredLevel ToLevel(Part[] image, int level)
    {
        var first = image[0];
        if (Array.Exists(image, part => (part.Width, part.Height, part.FrameWidth, part.FrameHeight) != (first.Width, first.Height, first.FrameWidth, first.FrameHeight)))
            throw new InvalidFrameException("The parts of a concatenation are not of one size.");
        // PS3.3 C.7.6.16.1: the offset where it is told, else the order of the parts.
        Array.Sort(image, static (one, other) => (one.FirstFrame ?? one.Number).CompareTo(other.FirstFrame ?? other.Number));
        var placed = new List<(int, InstanceEntry)>(image.Length);
        long frames = 0;
        foreach (var part in image)
        {
            if (part.FirstFrame is { } offset && offset != frames) throw new InvalidFrameException($"A part of a concatenation is missing: frames {frames + 1} to {offset} of a level are nowhere.");
            placed.Add(((int)frames, part.Instance));
            frames += part.Instance.FrameCount;
            if (frames > int.MaxValue) throw new InvalidFrameException("A level has more frames than can be counted.");
        }
        return new StoredLevel
        {
            Level = level,
            Width = first.Width,
            Height = first.Height,
            FrameWidth = first.FrameWidth,
            FrameHeight = first.FrameHeight,
            Layout = ToLayout(image, placed, frames),
            Presentation = first.Presentation,
            Parts = placed,
        };
    }

    private static FrameLayout ToLayout(Part[] image, List<(int FirstFrame, InstanceEntry)> placed, long frames)
    {
        var first = image[0];
        if (Array.TrueForAll(image, static part => part.Positions is not null))
        {
            var sparse = new List<PlacedFrame>();
            for (var i = 0; i < image.Length; i++)
            {
                foreach (var (frame, left, top) in image[i].Positions!) sparse.Add(new PlacedFrame(placed[i].FirstFrame + frame, left, top));
                if (sparse.Count > MaxSparseFrames) throw new InvalidFrameException($"A level of more than {MaxSparseFrames} frames with places of their own is not read here.");
            }
            return new SparseLayout(first.Width, first.Height, first.FrameWidth, first.FrameHeight, sparse);
        }

        var needed = (long)FullLayout.CountOf(first.Width, first.FrameWidth) * FullLayout.CountOf(first.Height, first.FrameHeight);
        if (frames < needed) throw new InvalidFrameException($"A level of {first.Width} x {first.Height} pixels needs {needed} frames of {first.FrameWidth} x {first.FrameHeight}; its instances have {frames}.");
        return new FullLayout(first.Width, first.Height, first.FrameWidth, first.FrameHeight);
    }

    /// <summary>What one instance says.</summary>
    private sealed record Part(InstanceEntry Instance, int Width, int Height, int FrameWidth, int FrameHeight, FramePresentation Presentation)
    {
        public string? Concatenation { get; private init; }

        /// <summary>Of the concatenation, from 0; null where it is not told.</summary>
        public int? FirstFrame { get; private init; }

        /// <summary>In the concatenation.</summary>
        public int Number { get; private init; }

        /// <summary>Of TILED_SPARSE: frame, column and row from 0, of the first channel and plane of focus.</summary>
        public List<PlacedFrame>? Positions { get; private init; }

        public (double X, double Y)? Spacing { get; private init; }
        public double? ObjectivePower { get; private init; }
        public (byte R, byte G, byte B) Absent { get; private init; }

        public static Part Read(InstanceEntry instance, DicomDataset dataset)
        {
            var presentation = FramePresentation.Read(dataset, 0);
            var (frameWidth, frameHeight) = (presentation.Frame.Columns, presentation.Frame.Rows);
            var (width, height) = (dataset.GetInt64(DicomTags.TotalPixelMatrixColumns) ?? frameWidth, dataset.GetInt64(DicomTags.TotalPixelMatrixRows) ?? frameHeight);
            if (frameWidth < 1 || frameHeight < 1) throw new InvalidFrameException($"Frames of {frameWidth} x {frameHeight} pixels are none.");
            if (width is < 1 or > TileGrid.MaxSide || height is < 1 or > TileGrid.MaxSide)
                throw new InvalidFrameException($"A slide of {width} x {height} pixels is not read here: 1 to {TileGrid.MaxSide} a side.");
            return new Part(instance, (int)width, (int)height, frameWidth, frameHeight, presentation)
            {
                Concatenation = dataset.GetString(DicomTags.ConcatenationUID),
                FirstFrame = dataset.GetInt32(DicomTags.ConcatenationFrameOffsetNumber),
                Number = dataset.GetInt32(DicomTags.InConcatenationNumber) ?? 0,
                Positions = dataset.GetString(DicomTags.DimensionOrganizationType) == "TILED_FULL" ? null : ReadPositions(dataset, instance.FrameCount),
                Spacing = PixelSpacings.Read(dataset, width, height),
                ObjectivePower = dataset.GetItem(DicomTags.OpticalPathSequence)?.GetDouble(DicomTags.ObjectiveLensPower) is > 0 and < 1000 and var power ? power : null,
                Absent = AbsentColour.Read(dataset, presentation.Frame.SamplesPerPixel),
            };
        }

        private static List<PlacedFrame>? ReadPositions(DicomDataset dataset, int frameCount)
        {
            var groups = dataset.GetItems(DicomTags.PerFrameFunctionalGroupsSequence);
            if (groups.Count == 0 || groups[0].GetItem(DicomTags.PlanePositionSlideSequence) is null) return null;
            if (groups.Count > MaxSparseFrames) throw new InvalidFrameException($"A level of more than {MaxSparseFrames} frames with places of their own is not read here.");
            if (groups.Count != frameCount) throw new InvalidFrameException($"The instance has {frameCount} frames and tells the places of {groups.Count}.");
            var positions = new List<PlacedFrame>(groups.Count);
            var (path, depth) = (PathOf(groups[0]), DepthOf(groups[0]));
            for (var frame = 0; frame < groups.Count; frame++)
            {
                var group = groups[frame];
                if (PathOf(group) != path || DepthOf(group) != depth) continue;
                if (group.GetItem(DicomTags.PlanePositionSlideSequence) is not { } place
                    || place.GetInt32(DicomTags.ColumnPositionInTotalImagePixelMatrix) is not { } column || place.GetInt32(DicomTags.RowPositionInTotalImagePixelMatrix) is not { } row)
                    throw new InvalidFrameException($"Frame {frame + 1} does not tell its place.");
                // From 1; one frame to the left of or above the matrix is none of ours, and refused with its place when the layout is made.
                positions.Add(new PlacedFrame(frame, column == int.MinValue ? column : column - 1, row == int.MinValue ? row : row - 1));
            }
            return positions;
        }

        private static string? PathOf(DicomDataset group) => group.GetItem(DicomTags.OpticalPathIdentificationSequence)?.GetString(DicomTags.OpticalPathIdentifier);

        private static string? DepthOf(DicomDataset group) => group.GetItem(DicomTags.PlanePositionSlideSequence)?.GetString(DicomTags.ZOffsetInSlideCoordinateSystem);
    }
}
