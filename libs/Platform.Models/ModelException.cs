namespace Platform.Models;

/// <summary>Why the model manager would not do something.</summary>
public enum ModelFault
{
    /// <summary>A manifest, package, weights or model file is not what it must be.</summary>
    Invalid,

    /// <summary>No model of that name is known, or it is not in the store.</summary>
    NotFound,

    /// <summary>Bytes do not match the digest that they must have.</summary>
    DigestMismatch,

    /// <summary>No source gave the file.</summary>
    Unreachable,

    /// <summary>An address that is not allowed.</summary>
    Refused,

    /// <summary>Not enough room on the disk, or within the store's bound.</summary>
    NoRoom,

    /// <summary>In use, or busy in another process.</summary>
    Busy,

    /// <summary>There is one of that name already.</summary>
    Exists,
}

/// <summary>Says what went wrong with a model, in a sentence that may be shown to whoever asked: it names models, files and addresses, never what is in them.</summary>
public sealed class ModelException(ModelFault fault, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public ModelFault Fault { get; } = fault;

    internal static ModelException Invalid(string message, Exception? inner = null) => new(ModelFault.Invalid, message, inner);
}
