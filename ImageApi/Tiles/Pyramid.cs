using ImageApi.Catalog;
using Platform.Imaging;
using Platform.TieredCache;

namespace ImageApi.Tiles;

/// <summary>What tiles are cut from: the stored levels of a whole slide, or one frame. Immutable and shared.</summary>
internal sealed record Pyramid
{
    /// <summary>Changes whenever anything does that the tiles are made of: the first part of their keys.</summary>
    public required Digest256 Content { get; init; }

    public required TileGrid Grid { get; init; }

    /// <summary>From the finest to the coarsest, one or more; each belongs to a level of the grid.</summary>
    public required IReadOnlyList<StoredLevel> Stored { get; init; }

    /// <summary>Pictures that belong to a slide and not to its pyramid.</summary>
    public IReadOnlyList<AssociatedImage> Associated { get; init; } = [];

    /// <summary>Distance of the centres of two columns and two rows of the whole, in mm; null when unknown.</summary>
    public (double X, double Y)? Spacing { get; init; }

    /// <summary>Objective Lens Power, such as 20 or 40; null when unknown.</summary>
    public double? ObjectivePower { get; init; }

    public bool IsSlide { get; init; }

    /// <summary>1 for grey, 3 for colour.</summary>
    public required int Channels { get; init; }

    /// <summary>For the colour of what no frame covers: red, green, blue.</summary>
    public (byte R, byte G, byte B) Absent { get; init; } = (255, 255, 255);

    /// <summary>Places in memory, about 16 bytes each.</summary>
    public long IndexedPlaces => Stored.Sum(static level => level.Layout.IndexedPlaces);

    /// <summary>The coarsest stored level that is as fine as a level of the grid, or finer.</summary>
    public StoredLevel SourceOf(int level)
    {
        var best = Stored[0];
        foreach (var stored in Stored)
        {
            if (stored.Level >= level) best = stored;
        }
        return best;
    }
}

/// <summary>A level as it is stored: frames, by their places.</summary>
internal sealed record StoredLevel
{
    /// <summary>Of the grid.</summary>
    public required int Level { get; init; }

    /// <summary>In pixels; a stored level may be a pixel narrower or lower than the grid's, where the maker rounded down.</summary>
    public required int Width { get; init; }
    public required int Height { get; init; }

    /// <summary>Size of the frames.</summary>
    public required int FrameWidth { get; init; }
    public required int FrameHeight { get; init; }

    public required FrameLayout Layout { get; init; }
    public required FramePresentation Presentation { get; init; }

    /// <summary>Instead of a stored window: the same for all frames, so that tiles match.</summary>
    public VoiWindow? Window { get; init; }

    /// <summary>The instances, and the number of the first frame that each one holds; several where the level is a concatenation (PS3.3 C.7.6.16.1).</summary>
    public required IReadOnlyList<(int FirstFrame, InstanceEntry Instance)> Parts { get; init; }

    /// <summary>Where a frame of the level is: its instance, and its number in it.</summary>
    public (InstanceEntry Instance, int FrameIndex) Locate(int frame)
    {
        for (var i = Parts.Count - 1; i > 0; i--)
        {
            if (Parts[i].FirstFrame <= frame) return (Parts[i].Instance, frame - Parts[i].FirstFrame);
        }
        return (Parts[0].Instance, frame - Parts[0].FirstFrame);
    }
}

/// <summary>A picture beside the pyramid.</summary>
/// <param name="Kind">label, overview or thumbnail.</param>
/// <param name="Instance">One frame.</param>
internal sealed record AssociatedImage(string Kind, InstanceEntry Instance);
