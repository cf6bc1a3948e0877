namespace Cli.Import;

/// <summary>What an import has done so far. Safe to read while it runs.</summary>
internal sealed class ImportReport
{
    private readonly Lock _lock = new();
    private readonly List<(string Path, string Reason)> _failures = [];
    private long _stored, _wasStored, _sentBefore, _notDicom, _storedBytes, _doneBytes, _seen;

    /// <summary>Files looked at.</summary>
    public long Seen => Interlocked.Read(ref _seen);

    /// <summary>Instances that the server has because of this import.</summary>
    public long Stored => Interlocked.Read(ref _stored);

    /// <summary>Instances that were sent and were there already, byte for byte.</summary>
    public long WasStored => Interlocked.Read(ref _wasStored);

    /// <summary>Files that were left out, because an earlier import sent them and the server still has them.</summary>
    public long SentBefore => Interlocked.Read(ref _sentBefore);

    /// <summary>Files that are no instances: not DICOM, or a DICOMDIR.</summary>
    public long NotDicom => Interlocked.Read(ref _notDicom);

    /// <summary>Bytes of the instances stored.</summary>
    public long StoredBytes => Interlocked.Read(ref _storedBytes);

    /// <summary>Bytes of the files that need nothing more, for the progress bar.</summary>
    public long DoneBytes => Interlocked.Read(ref _doneBytes);

    /// <summary>Files that were not stored, and why.</summary>
    public IReadOnlyList<(string Path, string Reason)> Failures
    {
        get
        {
            lock (_lock) return [.. _failures];
        }
    }

    public void See() => Interlocked.Increment(ref _seen);

    public void Store(ImportFile file, bool wasStored)
    {
        Interlocked.Increment(ref wasStored ? ref _wasStored : ref _stored);
        if (!wasStored) Interlocked.Add(ref _storedBytes, file.LengthBytes);
        Interlocked.Add(ref _doneBytes, file.LengthBytes);
    }

    public void LeaveOut(long lengthBytes, bool isDicom)
    {
        Interlocked.Increment(ref isDicom ? ref _sentBefore : ref _notDicom);
        Interlocked.Add(ref _doneBytes, lengthBytes);
    }

    public void Fail(string path, string reason, long lengthBytes = 0)
    {
        lock (_lock) _failures.Add((path, reason));
        Interlocked.Add(ref _doneBytes, lengthBytes);
    }
}
