namespace Platform.Models;

/// <summary>How far a model's way into the store is.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Stage">What is being done.</param>
/// <param name="File">The file at hand; null where it is about the model as a whole.</param>
/// <param name="BytesDone">Of this file, those of an earlier attempt included.</param>
/// <param name="BytesTotal">Of this file; null where it is not known.</param>
/// <param name="Fetched">Bytes that came over the network for this model so far.</param>
public sealed record ModelProgress(string Model, ModelStage Stage, string? File, long BytesDone, long? BytesTotal, long Fetched);

public enum ModelStage
{
    /// <summary>Another process fetches the same file.</summary>
    Waiting,

    /// <summary>What is here of it is read, to go on with it or to use it.</summary>
    Checking,

    /// <summary>Bytes arrive.</summary>
    Fetching,

    /// <summary>Whole and verified; becoming visible.</summary>
    Installing,

    /// <summary>In the store.</summary>
    Done,
}
