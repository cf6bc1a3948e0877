namespace Platform.Nifti;

/// <summary>
/// The input is no NIfTI, is damaged, contradicts itself or exceeds a limit of <see cref="NiftiReadOptions"/>. The one exception that this
/// library throws for what came from outside; its message says where and never carries text of the header.
/// </summary>
public sealed class InvalidNiftiException : Exception
{
    /// <param name="message">What is wrong, as a sentence.</param>
    /// <param name="offset">Where, in bytes from the start of the file as stored; -1 where that says nothing.</param>
    /// <param name="innerException">What lay beneath.</param>
    public InvalidNiftiException(string message, long offset = -1, Exception? innerException = null)
        : base(offset >= 0 ? $"{message} (offset {offset})" : message, innerException) => Offset = offset;

    /// <summary>Bytes from the start of the file as stored; -1 where that says nothing.</summary>
    public long Offset { get; }
}
