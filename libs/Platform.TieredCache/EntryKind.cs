namespace Platform.TieredCache;

/// <summary>What a cached value is. A closed set: it is a metric tag and part of every key.</summary>
public enum EntryKind : byte
{
    /// <summary>One frame's bytes as an answer carries them.</summary>
    Frame,
    /// <summary>A DICOM JSON metadata document, or one coding of it.</summary>
    Metadata,
    /// <summary>A small picture of a frame.</summary>
    Thumbnail,
    /// <summary>A picture rendered for a screen.</summary>
    Rendered,
    /// <summary>A tile of a pyramid.</summary>
    Tile,
    /// <summary>A whole file or a range of one.</summary>
    File,
    /// <summary>What a viewer needs to know of a series.</summary>
    Manifest,
    /// <summary>Where the frames of an instance lie in its file.</summary>
    FrameIndex,
    /// <summary>A model file.</summary>
    Model,
    /// <summary>A model's result.</summary>
    Result,
}
