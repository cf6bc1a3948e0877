using ImageApi.Negotiation;
using Microsoft.Extensions.Options;

namespace ImageApi.Store;

/// <summary>
/// Takes in the instances of a request one after the other, and lets the committer make them durable while the next ones arrive. Holds one buffer per request
/// and one small outcome per instance, whatever their number and length.
/// </summary>
internal sealed class StoreService(StoreFolder folder, StoreCommitter committer, IOptions<StoreOptions> options, StoreMetrics metrics, ILogger<StoreService> logger)
{
    /// <summary>Instances of one request that wait to be durable: bounds its open files.</summary>
    private const int MaxUncommitted = 48;

    private const int CopyBytes = 64 << 10;

    private StoreFolder Folder => folder;
    private StoreCommitter Committer => committer;
    private StoreOptions Options { get; } = options.Value;
    private ILogger Logger => logger;

    /// <summary>Stores the instances of a multipart body.</summary>
    /// <param name="body">The request's body, read to its end.</param>
    /// <param name="boundary">Of the parts.</param>
    /// <param name="studyUid">When given, instances of other studies are refused.</param>
    /// <param name="cancellationToken">The client has gone: what was not committed is dropped.</param>
    public async Task<StoreResult> StoreAsync(Stream body, string boundary, string? studyUid, CancellationToken cancellationToken)
    {
        var run = new Run(this, studyUid, cancellationToken);
        string? error = null;
        try
        {
            using var reader = new MultipartReader(body, boundary);
            for (var parts = 0; await reader.MoveToNextPartAsync(cancellationToken); parts++)
            {
                if (parts == Options.MaxParts)
                {
                    error = $"The request has more than {Options.MaxParts} parts.";
                    break;
                }
                await run.TakeAsync(IsDicom(reader.ContentType) ? reader.ReadBodyAsync : null);
            }
        }
        catch (MultipartException exception)
        {
            error = exception.Message;
        }
        finally
        {
            await run.WaitAsync();
        }
        return new StoreResult(run.Outcomes, error);
    }

    /// <summary>Stores a body that is one instance.</summary>
    public async Task<StoreResult> StoreAsync(Stream body, string? studyUid, CancellationToken cancellationToken)
    {
        var run = new Run(this, studyUid, cancellationToken);
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            await run.TakeAsync(async token => buffer.AsMemory(0, await body.ReadAtLeastAsync(buffer, CopyBytes, throwOnEndOfStream: false, token)));
        }
        finally
        {
            await run.WaitAsync();
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
        return new StoreResult(run.Outcomes, Error: null);
    }

    /// <summary>A part without a type is taken for what the request is about.</summary>
    private static bool IsDicom(string contentType)
    {
        var type = contentType.AsSpan();
        if (type.IndexOf(';') is >= 0 and var at) type = type[..at];
        type = type.Trim();
        return type.IsEmpty || type.Equals("application/dicom", StringComparison.OrdinalIgnoreCase) || type.Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>One request: its outcomes in the order of its parts.</summary>
    private sealed class Run(StoreService service, string? studyUid, CancellationToken cancellationToken)
    {
        private readonly List<StoreOutcome?> _outcomes = [];
        private readonly SemaphoreSlim _uncommitted = new(MaxUncommitted);

        public IReadOnlyList<StoreOutcome> Outcomes => _outcomes.ConvertAll(outcome => outcome ?? StoreOutcome.Refused(FailureReason.ProcessingFailure));

        /// <summary>Takes in one part; null for one of a type that is not stored.</summary>
        public async Task TakeAsync(Func<CancellationToken, ValueTask<ReadOnlyMemory<byte>>>? read)
        {
            int index;
            lock (_outcomes)
            {
                index = _outcomes.Count;
                _outcomes.Add(null);
            }
            var (arrival, refusal) = read is null ? (null, StoreOutcome.Refused(FailureReason.CannotUnderstand)) : await ReceiveAsync(read);
            if (refusal is not null)
            {
                service.Told(refusal, arrival?.Length ?? 0);
                arrival?.Dispose();
                Set(index, refusal);
                return;
            }
            await _uncommitted.WaitAsync(CancellationToken.None);   // soon: what holds a place is being committed
            _ = CommitAsync(arrival!, index);
        }

        /// <summary>Returns when nothing of this request is under way.</summary>
        public async Task WaitAsync()
        {
            for (var i = 0; i < MaxUncommitted; i++) await _uncommitted.WaitAsync(CancellationToken.None);
        }

        private void Set(int index, StoreOutcome outcome)
        {
            lock (_outcomes) _outcomes[index] = outcome;
        }

        private async Task CommitAsync(Arrival arrival, int index)
        {
            var length = arrival.Length;
            try
            {
                var outcome = await service.Committer.CommitAsync(arrival, CancellationToken.None);
                Set(index, outcome);
                service.Told(outcome, length);
            }
            catch (Exception exception)
            {
                service.Logger.CommitFailed(exception);
            }
            finally
            {
                _uncommitted.Release();
            }
        }

        private async Task<(Arrival? Arrival, StoreOutcome? Refusal)> ReceiveAsync(Func<CancellationToken, ValueTask<ReadOnlyMemory<byte>>> read)
        {
            Arrival? arrival = null;
            var isTaken = false;
            try
            {
                if (!service.Folder.HasRoomFor(0)) return (null, Full());
                arrival = new Arrival(service.Folder);
                while (await read(cancellationToken) is { Length: > 0 } bytes)
                {
                    if (arrival.Length + bytes.Length > service.Options.MaxInstanceBytes) return (null, StoreOutcome.Refused(FailureReason.OutOfResources));
                    arrival.Append(bytes.Span);
                }
                arrival.Complete();
                var refusal = await arrival.InspectAsync(studyUid, cancellationToken);
                isTaken = refusal is null;
                return (isTaken ? arrival : null, refusal);
            }
            catch (IOException exception) when (DiskFull.Is(exception))
            {
                return (null, Full());
            }
            finally
            {
                if (!isTaken) arrival?.Dispose();
            }
        }

        private static StoreOutcome Full() => StoreOutcome.Refused(FailureReason.OutOfResources, isDiskFull: true);
    }

    private void Told(StoreOutcome outcome, long bytes)
    {
        metrics.Arrived(outcome, bytes);
        if (outcome.IsDiskFull) logger.DiskIsFull();
        else if (!outcome.IsStored) logger.InstanceRefused(outcome.Failure);
    }
}

/// <summary>What became of a request's instances, in their order, and what was wrong with the request itself.</summary>
internal sealed record StoreResult(IReadOnlyList<StoreOutcome> Outcomes, string? Error)
{
    public int StoredCount => Outcomes.Count(outcome => outcome.IsStored);
    public bool IsDiskFull => StoredCount == 0 && Outcomes.Any(outcome => outcome.IsDiskFull);
}
