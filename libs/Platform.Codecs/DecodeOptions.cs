namespace Platform.Codecs;

/// <summary>What a decoder may do. The default value is the default.</summary>
public readonly record struct DecodeOptions
{
    public DecodeOptions() { }

    /// <summary>The most bytes that the decoded frame may have, default 1 GiB. Checked before anything is allocated.</summary>
    public long MaxFrameBytes { get; init; } = 1L << 30;

    /// <summary>Decode at 1/2^n of the resolution, for codecs that can; others refuse anything but 0.</summary>
    public int ReduceLevels { get; init; }

    /// <summary>
    /// Take what is there of a stream that ends early, for codecs whose streams get better towards their end; what is missing counts as
    /// zero. Others, and all by default, refuse such a stream. A stream cut where a resolution ends is complete for that
    /// <see cref="ReduceLevels"/> and needs no leave.
    /// </summary>
    public bool AllowTruncated { get; init; }
}
