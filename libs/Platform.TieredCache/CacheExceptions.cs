namespace Platform.TieredCache;

/// <summary>All memory that values may take is lent out or being written, and this one can wait for none of it.</summary>
public sealed class CacheFullException() : Exception("The memory for cached values is in use to the last block.");

/// <summary>A derived value grew beyond what its policy allows.</summary>
public sealed class EntryTooLargeException(long limitBytes) : Exception($"A derived value may have at most {limitBytes} bytes.");
