using System.Collections.Immutable;

namespace Platform.Models;

/// <summary>A model that is known: from the catalogue, from the store, or from both.</summary>
/// <param name="Manifest">The catalogue's where it has one, else the stored one's.</param>
/// <param name="Stored">What the store has of it; null where it has nothing.</param>
/// <param name="State">Where it stands.</param>
/// <param name="IsInCatalogue">Whether a manifest of the catalogue names it.</param>
public sealed record ModelInfo(ModelManifest Manifest, StoredModelInfo? Stored, ModelState State, bool IsInCatalogue)
{
    /// <summary>What a download would bring, as far as the manifest says; null where it does not.</summary>
    public long? DownloadBytes => Manifest.Files.All(static file => file.Bytes is not null) ? Manifest.Files.Sum(static file => file.Bytes) : null;
}

public enum ModelState
{
    /// <summary>Known, not here.</summary>
    Absent,

    /// <summary>Here.</summary>
    Stored,

    /// <summary>Here in another version than the catalogue's.</summary>
    Outdated,

    /// <summary>Here, and something of it is missing or of another length. Damage that does not change lengths is found by verifying.</summary>
    Broken,

    /// <summary>On its way.</summary>
    Downloading,
}

/// <summary>The store as a whole.</summary>
/// <param name="Directory">Its folder.</param>
/// <param name="Models">How many models are in it.</param>
/// <param name="Files">How many blobs.</param>
/// <param name="Bytes">What all of it takes, downloads under way and optimised files included.</param>
/// <param name="CapacityBytes">Its bound; 0 for none.</param>
/// <param name="FreeBytes">Free on its disk.</param>
/// <param name="PartialBytes">Downloads that are not whole.</param>
/// <param name="OptimisedBytes">Optimised forms.</param>
/// <param name="DamagedBytes">Put aside.</param>
/// <param name="Formats">Bytes by format; blobs that models share are counted with each.</param>
/// <param name="Problems">What is wrong with it, a sentence each; empty when it is sound as far as names and lengths tell.</param>
public sealed record StoreInfo(string Directory, int Models, int Files, long Bytes, long CapacityBytes, long FreeBytes, long PartialBytes, long OptimisedBytes, long DamagedBytes,
    ImmutableArray<StoredFormat> Formats, ImmutableArray<string> Problems);
