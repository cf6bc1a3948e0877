using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using InferenceApi.Problems;
using Microsoft.AspNetCore.Http.Features;
using Platform.Models;

namespace InferenceApi.Models;

/// <summary>A download's progress as server-sent events: at most ten a second, a comment where nothing happens, then <c>done</c> or <c>failed</c>. It stops with its last listener.</summary>
internal sealed class DownloadEvents(ModelManager models, string name, TimeProvider time) : IResult
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100), Heartbeat = TimeSpan.FromSeconds(15);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var gone = httpContext.RequestAborted;
        var response = httpContext.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        httpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        // Only the latest matters.
        var latest = Channel.CreateBounded<ModelProgress>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(gone);
        var downloading = models.DownloadAsync(name, new Latest(latest.Writer), stopping.Token);
        _ = downloading.ContinueWith(_ => latest.Writer.TryComplete(), TaskScheduler.Default);
        try
        {
            await response.StartAsync(gone);
            while (await WaitAsync(latest.Reader, gone))
            {
                while (latest.Reader.TryRead(out var progress)) await SendAsync("progress", ModelJson.Progress(progress));
                await Task.Delay(Pause, time, gone);
            }
            JsonObject ending;
            try
            {
                await downloading;
                ending = new JsonObject { ["model"] = models.Find(name).Manifest.Name };
            }
            catch (Exception failure) when (!gone.IsCancellationRequested)
            {
                var problem = ExceptionProblems.Of(failure);
                await SendAsync("failed", new JsonObject { ["type"] = problem.Type, ["title"] = problem.Title, ["status"] = problem.Status, ["detail"] = problem.Detail });
                return;
            }
            await SendAsync("done", ending);
        }
        finally
        {
            await stopping.CancelAsync();
            await downloading.ContinueWith(static _ => { }, TaskScheduler.Default);
        }

        async Task SendAsync(string kind, JsonObject data)
        {
            await response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes($"event: {kind}\ndata: {data.ToJsonString()}\n\n"), gone);
            await response.BodyWriter.FlushAsync(gone);
        }

        async Task<bool> WaitAsync(ChannelReader<ModelProgress> reader, CancellationToken token)
        {
            var waiting = reader.WaitToReadAsync(token).AsTask();
            while (await Task.WhenAny(waiting, Task.Delay(Heartbeat, time, token)) != waiting)
            {
                token.ThrowIfCancellationRequested();
                await response.BodyWriter.WriteAsync(":\n\n"u8.ToArray(), token);
                await response.BodyWriter.FlushAsync(token);
            }
            return await waiting;
        }
    }

    private sealed class Latest(ChannelWriter<ModelProgress> writer) : IProgress<ModelProgress>
    {
        public void Report(ModelProgress value) => writer.TryWrite(value);
    }
}
