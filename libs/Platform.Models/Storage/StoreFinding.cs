namespace Platform.Models;

/// <summary>Something that is wrong in the store.</summary>
/// <param name="Problem">What.</param>
/// <param name="Model">Whose; null for what belongs to no model.</param>
/// <param name="Item">A path relative to the store's folder, or among the model's files.</param>
/// <param name="Bytes">How much room it takes.</param>
/// <param name="Repair">What was done about it.</param>
public sealed record StoreFinding(StoreProblem Problem, string? Model, string Item, long Bytes, StoreRepair Repair);

public enum StoreProblem
{
    /// <summary>The bytes are not those that the digest names.</summary>
    Damaged,

    /// <summary>A file of a model is not there.</summary>
    Missing,

    /// <summary>Belongs to nothing: what a process that died left, or what lies in the wrong place.</summary>
    Orphaned,

    /// <summary>A description that cannot be read.</summary>
    Unreadable,
}

public enum StoreRepair
{
    /// <summary>Only looked at.</summary>
    None,

    /// <summary>Taken away.</summary>
    Removed,

    /// <summary>Made whole again from what else is in the store.</summary>
    Rebuilt,

    /// <summary>Fetched again.</summary>
    Fetched,

    /// <summary>The model was taken out of the store: it will be fetched when next asked for.</summary>
    ModelRemoved,

    /// <summary>In use: left for later.</summary>
    Postponed,
}
