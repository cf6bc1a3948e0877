namespace Platform.Nifti;

/// <summary>The limits that hostile input meets. Exceeding one is an <see cref="InvalidNiftiException"/>.</summary>
public sealed record NiftiReadOptions
{
    public static NiftiReadOptions Default { get; } = new();

    /// <summary>Most bytes of voxels that a header may announce. Default 64 GiB; nothing of that size is ever held in memory.</summary>
    public long MaxVoxelBytes { get; init; } = 64L << 30;

    /// <summary>Most bytes between header and voxels (extensions), which are skipped. Default 64 MiB.</summary>
    public long MaxExtensionBytes { get; init; } = 64L << 20;

    /// <summary>Most bytes that a seek index of a gzip file may take in memory. Default 64 MiB: with more data its points lie further apart.</summary>
    public int MaxIndexBytes { get; init; } = 64 << 20;
}
