using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Platform.TieredCache;

/// <summary>
/// The bytes of one value: pieces appended by one writer, read by any number of readers, freed when the last of those
/// who hold a reference (the maker, the memory tier, each lease, each copy underway) has let go. Never revived: a
/// count that reached zero stays there.
/// </summary>
internal sealed class Body
{
    // How much is copied between two flushes. For a frame of 512 KiB pieces of 64 KB cost Kestrel about twice the CPU time of
    // 128 KB and larger ones save little more; what a slow client has not taken yet lies in the server's buffers.
    private const int CopyChunkBytes = 128 << 10;

    private int _references = 1;
    private Segment? _first, _last;
    private long _published;
    private volatile Progress? _progress;        // null once complete and successful
    private ReadOnlySequence<byte> _bytes;
    private volatile EntryHeader? _header;
    private volatile ValueFile? _file;

    public Body(Action onAbandoned) => _progress = new Progress(onAbandoned);

    /// <summary>Set by the writer's start, replaced by the final one when complete.</summary>
    public EntryHeader Header => _header ?? throw new InvalidOperationException("The value has not been started.");

    public EntryHeader? HeaderOrNull => _header;

    public bool IsComplete => _progress is null;

    /// <summary>Bytes that readers may see.</summary>
    public long PublishedBytes => Volatile.Read(ref _published);

    /// <summary>Bytes of the blocks that hold the value. For a complete value.</summary>
    public long BlockBytes { get; private set; }

    /// <summary>True when a piece lies outside the arena; such a value is not kept.</summary>
    public bool HasOverflow { get; private set; }

    /// <summary>True when earlier pieces are given up as the readers pass them.</summary>
    public bool IsWindowed { get; private set; }

    /// <summary>
    /// The file that the beginning of the value, or all of it, is read from; null while it lies in memory. Readers take from the file whatever it has.
    /// </summary>
    public ValueFile? File => _file;

    /// <summary>Asks for the value anew, when the file of a complete one shows damage to a reader; null where nobody can.</summary>
    public Func<CancellationToken, ValueTask<CacheLease>>? MakeAgain { get; set; }

    public int References => Volatile.Read(ref _references);

    // --- references

    public bool TryAddReference()
    {
        var count = Volatile.Read(ref _references);
        while (count > 0)
        {
            var seen = Interlocked.CompareExchange(ref _references, count + 1, count);
            if (seen == count) return true;
            count = seen;
        }

        return false;
    }

    public void Release()
    {
        var left = Interlocked.Decrement(ref _references);
        if (left == 0) FreeSegments();
        else if (left == 1) _progress?.OnOneReferenceLeft();
        else if (left < 0) throw new InvalidOperationException("A value was released more often than it was lent.");
    }

    private void FreeSegments()
    {
        _bytes = default;
        for (var segment = _first; segment is not null; segment = segment.Next) segment.Block.Release();
        _first = _last = null;
        _file?.Dispose();
    }

    // --- the writer's side

    public Segment? First => _first;

    public Segment? Last => _last;

    public void Start(EntryHeader header) => _header = header;

    public void Append(Segment segment)
    {
        HasOverflow |= segment.Block.IsOverflow;
        if (_last is null)
        {
            _first = segment;
        }
        else
        {
            _last.Seal(segment);
        }

        _last = segment;
    }

    /// <summary>Puts a smaller piece in the place of the last one, before anybody could read it.</summary>
    public void ReplaceLast(Segment? previous, Segment segment)
    {
        if (previous is null) _first = segment;
        else previous.Seal(segment);
        _last = segment;
    }

    public Segment? FindBeforeLast()
    {
        var segment = _first;
        if (segment == _last) return null;
        while (segment!.Next != _last) segment = segment.Next;
        return segment;
    }

    /// <summary>Shows readers what was written up to here.</summary>
    public void Publish(long bytes)
    {
        Volatile.Write(ref _published, bytes);
        _progress?.SignalReaders();
    }

    public void MakeWindowed() => IsWindowed = true;

    /// <summary>From now on readers find in the file what it has. The body closes it.</summary>
    public void UseFile(ValueFile file) => _file = file;

    /// <summary>Frees the pieces that the file has and no reader is using.</summary>
    public void TrimToFile()
    {
        if (_first is not null) _progress!.TrimToFile(this);
    }

    /// <summary>Begins from nothing, before anybody could read anything.</summary>
    public void Rewind()
    {
        if (_published != 0 || _file is not null) throw new InvalidOperationException("What was shown to readers cannot be taken back.");
        FreeSegments();
        _header = null;
        HasOverflow = false;
    }

    /// <summary>Frees the pieces that every reader has passed, then waits until less than <paramref name="windowBytes"/> are unread.</summary>
    public async ValueTask WaitForReadersAsync(int windowBytes, CancellationToken cancellationToken)
    {
        var progress = _progress!;
        while (true)
        {
            var slowest = progress.TrimPassed(this, out var changed);
            if (_published - slowest < windowBytes) return;
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void Complete(EntryHeader header)
    {
        _last?.Seal(null);
        if (!IsWindowed && _file is null)
        {
            long blocks = 0;
            for (var segment = _first; segment is not null; segment = segment.Next) blocks += segment.Block.Size;
            BlockBytes = blocks;
            _bytes = _first is null ? ReadOnlySequence<byte>.Empty
                : _first == _last ? new ReadOnlySequence<byte>(_first.Memory)
                : new ReadOnlySequence<byte>(_first, 0, _last!, _last!.Filled);
        }

        _header = header;
        Volatile.Write(ref _published, header.Length!.Value);
        var progress = _progress!;
        _progress = null;
        progress.Finish(null);
    }

    public void Fail(Exception exception) => _progress?.Finish(exception);

    // --- the readers' side

    /// <summary>Registers a reader of a value that may still be arriving, so that a window waits for it.</summary>
    public BodyReader AddReader()
    {
        var progress = _progress;
        var reader = new BodyReader(progress);
        progress?.Add(reader);
        return reader;
    }

    public bool TryGetBytes(out ReadOnlySequence<byte> bytes)
    {
        if (IsComplete && !IsWindowed && _file is null)
        {
            bytes = _bytes;
            return true;
        }

        bytes = default;
        return false;
    }

    public async ValueTask WaitUntilCompleteAsync(CancellationToken cancellationToken)
    {
        while (_progress is { } progress)
            await progress.WaitAsync(this, long.MaxValue, cancellationToken).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask CopyToAsync(PipeWriter to, long offset, long? count, BodyReader? reader, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (count is { } asked) ArgumentOutOfRangeException.ThrowIfNegative(asked, nameof(count));
        if (Header.Length is { } length) CheckRange(offset, count, length);
        if (!TryAddReference()) throw new ObjectDisposedException(nameof(CacheLease));
        try
        {
            var position = offset;
            var end = count is { } c ? offset + c : long.MaxValue;
            // Placed before the first wait: the writer of a window may be waiting for the bytes that this reader leaves out.
            var segment = reader is null ? _first : reader.Begin(this, offset);
            while (position < end)
            {
                var available = Math.Min(end, PublishedBytes);
                if (available <= position)
                {
                    if (_progress is { } progress)
                    {
                        await progress.WaitAsync(this, position, cancellationToken).ConfigureAwait(false);
                        continue;
                    }

                    if (PublishedBytes > position) continue;
                    CheckRange(offset, count, PublishedBytes);
                    break;
                }

                int size;
                if (_file is { } file && position < file.StoredBytes)
                {
                    segment = null;
                    reader?.LeavePieces();
                    try
                    {
                        size = file.CopySome(to, position, Math.Min(available, file.StoredBytes) - position);
                    }
                    catch (DamagedValueException) when (MakeAgain is not null)
                    {
                        size = -1;
                    }

                    if (size < 0)
                    {
                        await DamagedValue.CopyRestAsync(this, file, to, offset, position, count is null ? null : end - position, cancellationToken).ConfigureAwait(false);
                        return;
                    }
                }
                else
                {
                    segment = Find(segment ?? (reader is null ? _first : reader.Begin(this, position))!, position);
                    var from = (int)(position - segment.RunningIndex);
                    var pieceEnd = segment.Next is null ? available : Math.Min(available, segment.End);
                    size = (int)Math.Min(CopyChunkBytes, pieceEnd - position);
                    // Into one block of this size: PipeWriter.WriteAsync would cut it into the pipe's own 4 KB blocks, at twice the processor time for a frame.
                    segment.Block.Memory.Slice(from, size).CopyTo(to.GetMemory(size));
                    to.Advance(size);
                }

                var result = await to.FlushAsync(cancellationToken).ConfigureAwait(false);
                position += size;
                reader?.Advance(position);
                if (result.IsCompleted || result.IsCanceled) return;
            }
        }
        finally
        {
            Release();
        }
    }

    private static Segment Find(Segment segment, long position)
    {
        while (segment.Next is { } next && position >= segment.End) segment = next;
        return segment;
    }

    private static void CheckRange(long offset, long? count, long length)
    {
        if (offset > length || count > length - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), "The range leaves the value.");
    }

    /// <summary>What exists only while a value is made: who waits for it, and where its readers are.</summary>
    internal sealed class Progress(Action onAbandoned)
    {
        private readonly Lock _lock = new();
        private readonly List<BodyReader> _readers = [];
        private TaskCompletionSource? _more;         // for readers: something was published
        private TaskCompletionSource? _advanced;     // for the writer: a reader moved or left
        private Exception? _failure;
        private bool _finished;

        public void OnOneReferenceLeft()
        {
            if (!Volatile.Read(ref _finished)) onAbandoned();
        }

        public void SignalReaders()
        {
            TaskCompletionSource? more;
            lock (_lock)
            {
                more = _more;
                _more = null;
            }

            more?.TrySetResult();
        }

        public void Finish(Exception? failure)
        {
            lock (_lock)
            {
                _failure = failure;
                _finished = true;
            }

            SignalReaders();
        }

        public Task WaitAsync(Body body, long position, CancellationToken cancellationToken)
        {
            TaskCompletionSource more;
            lock (_lock)
            {
                if (_failure is not null) return Task.FromException(_failure);
                if (_finished || body.PublishedBytes > position) return Task.CompletedTask;
                more = _more ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return more.Task.WaitAsync(cancellationToken);
        }

        public void Add(BodyReader reader)
        {
            lock (_lock) _readers.Add(reader);
        }

        public void Remove(BodyReader reader)
        {
            lock (_lock) _readers.Remove(reader);
            SignalWriter();
        }

        /// <summary>Places a reader and finds where it begins; under the lock that pieces are given up under.</summary>
        public Segment? Begin(Body body, BodyReader reader, long offset)
        {
            lock (_lock)
            {
                reader.Position = offset;
                if (body._file is { } file && offset < file.StoredBytes) return null;
                if (body._first is { } first && offset < first.RunningIndex)
                    throw new InvalidOperationException("A value too large to keep can be read once, from front to back.");
                reader.IsInPieces = true;
                return body._first;
            }
        }

        /// <summary>Gives up the pieces that every reader has passed. Returns how far the slowest is.</summary>
        public long TrimPassed(Body body, out Task changed)
        {
            lock (_lock)
            {
                var slowest = long.MaxValue;
                foreach (var reader in _readers) slowest = Math.Min(slowest, reader.Position);
                while (body._first is { } first && first != body._last && first.End <= slowest)
                {
                    body._first = first.Next;
                    first.Block.Release();
                }

                changed = (_advanced ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
                return slowest;
            }
        }

        /// <summary>
        /// Gives up the pieces that the file has, but for those that a reader may be copying from. Who comes later begins in the file.
        /// </summary>
        public void TrimToFile(Body body)
        {
            lock (_lock)
            {
                var limit = body._file!.StoredBytes;
                foreach (var reader in _readers)
                    if (reader.IsInPieces) limit = Math.Min(limit, reader.Position);
                while (body._first is { } first && first.End <= limit)
                {
                    body._first = first.Next;
                    if (body._first is null) body._last = null;
                    first.Block.Release();
                }
            }
        }

        public void SignalWriter()
        {
            TaskCompletionSource? advanced;
            lock (_lock)
            {
                advanced = _advanced;
                _advanced = null;
            }

            advanced?.TrySetResult();
        }
    }
}

/// <summary>How far one lease has read a value that is still arriving.</summary>
internal sealed class BodyReader(Body.Progress? progress)
{
    private long _position;

    public long Position
    {
        get => Volatile.Read(ref _position);
        set => Volatile.Write(ref _position, value);
    }

    /// <summary>True while the reader may be copying from a piece at its position.</summary>
    public bool IsInPieces { get; set; }

    /// <summary>The reader reads on from the file.</summary>
    public void LeavePieces() => IsInPieces = false;

    public Segment? Begin(Body body, long offset)
    {
        if (progress is null) return body.First;
        var first = progress.Begin(body, this, offset);
        progress.SignalWriter();        // it may have waited for the bytes that this reader leaves out
        return first;
    }

    public void Advance(long position)
    {
        Position = position;
        progress?.SignalWriter();
    }

    public void Detach() => progress?.Remove(this);
}
