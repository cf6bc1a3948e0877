using System.Net;
using System.Threading.Channels;
using Cli.Servers;

namespace Cli.Import;

/// <summary>
/// Sends files to a server (STOW-RS). One reader finds them and looks at their beginnings, a few senders send them in batches; what waits between
/// them is bounded. A batch that fails as a whole is sent again file by file, so that every failure has its file.
/// </summary>
internal sealed class Importer(ImportOptions options, ServerConnection server, ImportJournal journal, ImportReport report, TimeProvider time)
{
    private readonly StoredInstances _onServer = new(server);

    /// <summary>Imports everything. Throws <see cref="CommandException"/> when the server cannot be worked with; what was acknowledged until then stays noted.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var _ = await server.GetDicomJsonAsync(new Uri(server.Address.DicomWeb, "studies?limit=1"), cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var batches = Channel.CreateBounded<List<ImportFile>>(options.Connections);
        Task[] all = [Task.Run(() => FindAsync(batches.Writer, stop.Token), CancellationToken.None), .. Enumerable.Range(0, options.Connections).Select(_ => SendAllAsync(batches.Reader, stop.Token))];
        Exception? first = null;
        await foreach (var task in Task.WhenEach(all).WithCancellation(CancellationToken.None))
        {
            if (task.Exception?.InnerException is { } failure && (first is null || first is OperationCanceledException)) first = failure;
            if (!task.IsCompletedSuccessfully) await stop.CancelAsync();
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (first is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
    }

    private async Task FindAsync(ChannelWriter<List<ImportFile>> batches, CancellationToken cancellationToken)
    {
        var batch = new List<ImportFile>();
        long bytes = 0;
        foreach (var found in FileScan.Find(options.Paths, (folder, reason) => report.Fail(folder, reason)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            report.See();
            if (await LookAsync(found, cancellationToken) is not { } file) continue;
            batch.Add(file);
            bytes += file.LengthBytes;
            if (batch.Count < options.BatchFiles && bytes < options.BatchBytes) continue;
            await batches.WriteAsync(batch, cancellationToken);
            (batch, bytes) = ([], 0);
        }

        if (batch.Count > 0) await batches.WriteAsync(batch, cancellationToken);
        batches.Complete();
    }

    /// <summary>The file when it must be sent; null when it is no instance, cannot be read, or is on the server.</summary>
    private async ValueTask<ImportFile?> LookAsync(FileInfo found, CancellationToken cancellationToken)
    {
        Part10Header header;
        long length;
        try
        {
            var prefix = new byte[Part10Header.PrefixBytes];
            await using var source = new FileStream(found.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var read = source.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false);
            header = Part10Header.Read(prefix.AsSpan(0, read));
            length = source.Length;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            report.Fail(found.FullName, failure.Message);
            return null;
        }

        if (!header.IsDicom || header.IsDirectory)
        {
            report.LeaveOut(length, isDicom: false);
            return null;
        }

        var file = new ImportFile(found.FullName, length, found.LastWriteTimeUtc, header.SopInstanceUid);
        if (!journal.TryGet(file, out var study, out var instance) || !await _onServer.ContainsAsync(study, instance, cancellationToken)) return file;
        report.LeaveOut(length, isDicom: true);
        return null;
    }

    private async Task SendAllAsync(ChannelReader<List<ImportFile>> batches, CancellationToken cancellationToken)
    {
        await foreach (var batch in batches.ReadAllAsync(cancellationToken)) await SendAsync(batch, cancellationToken);
    }

    private async Task SendAsync(IReadOnlyList<ImportFile> batch, CancellationToken cancellationToken)
    {
        var delay = options.RetryDelay;
        for (var attempt = 0; ; attempt++)
        {
            using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            stall.CancelAfter(options.StallTimeout);
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Address.DicomWeb, "studies"));
            request.Headers.Accept.ParseAdd("application/dicom+json");
            var content = new StowContent(batch, _ => stall.CancelAfter(options.StallTimeout));
            request.Content = content;
            var isLast = attempt >= options.Retries;
            try
            {
                using var response = await server.SendAsync(request, stall.Token);
                if (IsBusy(response.StatusCode) && !isLast)
                {
                    if (response.Headers.RetryAfter?.Delta is { } asked && asked > delay && asked < options.StallTimeout) delay = asked;
                }
                else
                {
                    await TakeAnswerAsync(batch, response, cancellationToken);
                    return;
                }
            }
            catch (Exception) when (content.Unreadable is { } unreadable && !cancellationToken.IsCancellationRequested)
            {
                // The others have not been acknowledged: they are sent without it.
                report.Fail(unreadable.File.Path, unreadable.Reason, unreadable.File.LengthBytes);
                batch = [.. batch.Where(file => file != unreadable.File)];
                if (batch.Count == 0) return;
                continue;
            }
            catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                if (isLast) throw server.Unreachable(stall.IsCancellationRequested ? new TimeoutException("it has stopped taking data", null) : failure);
            }

            await Task.Delay(delay, time, cancellationToken);
            delay *= 2;
        }
    }

    private static bool IsBusy(HttpStatusCode status) => status is HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    private async Task TakeAnswerAsync(IReadOnlyList<ImportFile> batch, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK or HttpStatusCode.Accepted or HttpStatusCode.Conflict:
                using (var body = await ServerConnection.ReadJsonAsync(response, cancellationToken))
                {
                    if (body is null) throw new CommandException("The server's answer to a stored request cannot be read.", "Run the same command again: what has arrived is not sent twice.");
                    await TakeOutcomesAsync(batch, StowAnswer.Read(body.RootElement), cancellationToken);
                }

                break;
            case HttpStatusCode.InsufficientStorage:
                throw new CommandException("The server's disk is full.", "Make room there and run the same command again: it goes on where this one stopped.");
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.UnsupportedMediaType:
                throw await server.RefusedAsync(response, cancellationToken);
            case var _ when batch.Count > 1:
                await SendOneByOneAsync(batch, cancellationToken);
                break;
            default:
                report.Fail(batch[0].Path, await ServerConnection.DescribeAsync(response, cancellationToken), batch[0].LengthBytes);
                break;
        }
    }

    private async Task TakeOutcomesAsync(IReadOnlyList<ImportFile> batch, StowAnswer answer, CancellationToken cancellationToken)
    {
        // An answer names instances, not files: one that two files claim, or that the server knows by another name, says nothing of either.
        var claims = batch.CountBy(file => file.SopInstanceUid ?? "").ToDictionary(StringComparer.Ordinal);
        var acknowledged = new List<(ImportFile, string, string)>();
        var unclear = new List<ImportFile>();
        foreach (var file in batch)
        {
            var uid = file.SopInstanceUid ?? "";
            var isFailed = answer.Failed.TryGetValue(uid, out var reason);
            if (batch.Count == 1 && !answer.Stored.ContainsKey(uid) && !isFailed)
            {
                // Its file meta information and its data set disagree, or it could not be read that far.
                if (answer.Stored.Count == 1) uid = answer.Stored.Keys.First();
                else (isFailed, reason) = (true, answer.Failed.Values.Concat(answer.Others).FirstOrDefault(0x0110));
            }

            if (claims[file.SopInstanceUid ?? ""] > 1)
            {
                unclear.Add(file);
            }
            else if (isFailed)
            {
                report.Fail(file.Path, StowAnswer.Describe(reason), file.LengthBytes);
            }
            else if (answer.Stored.TryGetValue(uid, out var stored))
            {
                report.Store(file, stored.WasStored);
                acknowledged.Add((file, stored.Study, uid));
            }
            else
            {
                unclear.Add(file);
            }
        }

        journal.Acknowledge(acknowledged);
        await SendOneByOneAsync(unclear, cancellationToken);
    }

    private async Task SendOneByOneAsync(IReadOnlyList<ImportFile> files, CancellationToken cancellationToken)
    {
        foreach (var file in files) await SendAsync([file], cancellationToken);
    }
}
