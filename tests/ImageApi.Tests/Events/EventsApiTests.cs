using System.Net;
using System.Text.Json;
using ImageApi.Events;
using ImageApi.Tests.Store;
using ImageApi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Events;

public sealed class EventsApiTests
{
    private static readonly (string, string)[] Quick =
        [("ImageApi:Events:Heartbeat", "00:00:00.200"), ("ImageApi:Events:StudyInterval", "00:00:00.300"), ("ImageApi:Events:ThumbnailQuiet", "00:00:00.100")];

    private static DicomBuilder Image(int number, string study = "2.25.77") => new() { StudyUid = study, SeriesUid = study + ".1", InstanceUid = $"{study}.1.{number}", InstanceNumber = number, Rows = 128, Columns = 128 };

    [Fact]
    public async Task Listen_InstancesStored_TellsOfStudyAndThumbnail()
    {
        await using var host = await ImageApiHost.StartAsync(static _ => { }, Quick);
        await using var events = await Stream.OpenAsync(host, ("Origin", "http://localhost:5100"));
        Assert.Equal("text/event-stream", events.Response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("no-store", events.Response.Header("Cache-Control"));
        Assert.Equal("http://localhost:5100", events.Response.Header("Access-Control-Allow-Origin"));

        using var stored = await host.Client.StowAsync(Image(1).Build(), Image(2).Build());
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        var study = await events.ReadAsync("study");
        Assert.Equal("2.25.77", study.GetProperty("study").GetString());
        Assert.Equal("2.25.77.1", study.GetProperty("series")[0].GetString());
        Assert.InRange(study.GetProperty("instances").GetInt32(), 1, 2);

        var thumbnail = await events.ReadAsync("thumbnail");
        Assert.Equal("2.25.77.1", thumbnail.GetProperty("series").GetString());
        var url = thumbnail.GetProperty("dataUrl").GetString()!;
        Assert.InRange(url.Length, 100, 4095);
        const string Prefix = "data:image/jpeg;base64,";
        Assert.StartsWith(Prefix, url, StringComparison.Ordinal);
        var picture = Convert.FromBase64String(url[Prefix.Length..]);
        Assert.Equal([0xFF, 0xD8, 0xFF], picture[..3]);
        using var manifest = await host.SendAsync("/api/series/2.25.77.1/manifest");
        Assert.Equal((await manifest.JsonAsync()).GetProperty("version").GetString(), thumbnail.GetProperty("version").GetString());
    }

    [Fact]
    public async Task Listen_FileAppearsInAWatchedFolder_IsTold()
    {
        await using var host = await ImageApiHost.StartAsync(static _ => { }, [.. Quick, ("ImageApi:Origins:test:Watch", "true")]);
        await using var events = await Stream.OpenAsync(host);
        Image(1, "2.25.78").Save(Path.Combine(host.Folder.Path, "data", "new.dcm"));
        Assert.Equal("2.25.78", (await events.ReadAsync("study")).GetProperty("study").GetString());
    }

    [Fact]
    public async Task Listen_ManyStored_IsToldOfTheStudyFarLessOften()
    {
        await using var host = await ImageApiHost.StartAsync(static _ => { }, [.. Quick, ("ImageApi:Events:StudyInterval", "00:00:01")]);
        await using var events = await Stream.OpenAsync(host);
        var instances = 0;
        var told = 0;
        for (var i = 1; i <= 30; i++)
        {
            using var stored = await host.Client.StowAsync(Image(i).Build());
        }
        while (instances < 30)
        {
            instances = (await events.ReadAsync("study")).GetProperty("instances").GetInt32();
            told++;
        }
        Assert.InRange(told, 1, 15);
    }

    [Fact]
    public async Task Listen_BackWithLastEventId_GetsWhatItMissed()
    {
        await using var host = await ImageApiHost.StartAsync(static _ => { }, Quick);
        var board = host.Services.GetRequiredService<EventBoard>();
        string last;
        await using (var events = await Stream.OpenAsync(host))
        {
            board.Publish(new PreviewEvent("2.25.1", "aa"));
            await events.ReadAsync("preview");
            last = events.LastId!;
        }
        board.Publish(new PreviewEvent("2.25.2", "bb"));
        await using var again = await Stream.OpenAsync(host, ("Last-Event-ID", last));
        Assert.Equal("2.25.2", (await again.ReadAsync("preview")).GetProperty("series").GetString());
    }

    [Fact]
    public async Task Listen_NothingHappens_HeartbeatsShowThatTheStreamLives()
    {
        await using var host = await ImageApiHost.StartAsync(static _ => { }, Quick);
        await using var events = await Stream.OpenAsync(host);
        await events.ReadHeartbeatAsync();
        await events.ReadHeartbeatAsync();
    }

    [Fact]
    public async Task Listen_HostStops_StreamsEndAtOnce()
    {
        await using var host = await ImageApiHost.StartAsync(static _ => { });
        await using var events = await Stream.OpenAsync(host);
        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await events.ReadToEndAsync();
    }

    [Fact]
    public async Task Listen_TooManyOrAnotherMediaType_IsAProblem()
    {
        await using var host = await ImageApiHost.StartAsync(static _ => { }, ("ImageApi:Events:MaxListeners", "1"));
        using var unacceptable = await host.SendAsync("/api/events", ("Accept", "application/json"));
        Assert.Equal(HttpStatusCode.NotAcceptable, unacceptable.StatusCode);
        await using (await Stream.OpenAsync(host))
        {
            using var refused = await host.SendAsync("/api/events");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.NotNull(refused.Header("Retry-After"));
        }
        var board = host.Services.GetRequiredService<EventBoard>();
        for (var waited = 0; board.Listeners > 0; waited++)
        {
            Assert.True(waited < 300, "A listener that left is still counted.");
            await Task.Delay(50);
        }
    }

    /// <summary>A client's end of the stream.</summary>
    private sealed class Stream : IAsyncDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
        private readonly StreamReader _reader;

        private Stream(HttpResponseMessage response, StreamReader reader) => (Response, _reader) = (response, reader);

        public HttpResponseMessage Response { get; }

        public string? LastId { get; private set; }

        public static async Task<Stream> OpenAsync(ImageApiHost host, params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/events");
            request.Headers.TryAddWithoutValidation("Accept", "text/event-stream");
            foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
            var response = await host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var stream = new Stream(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
            Assert.StartsWith("retry: ", await stream.LineAsync(), StringComparison.Ordinal);
            return stream;
        }

        /// <summary>The data of the next event of this name; others are passed over.</summary>
        public async Task<JsonElement> ReadAsync(string name)
        {
            var current = "";
            while (true)
            {
                var line = await LineAsync() ?? throw new EndOfStreamException();
                if (line.StartsWith("id: ", StringComparison.Ordinal)) LastId = line[4..];
                if (line.StartsWith("event: ", StringComparison.Ordinal)) current = line[7..];
                if (current == name && line.StartsWith("data: ", StringComparison.Ordinal)) return JsonDocument.Parse(line[6..]).RootElement;
            }
        }

        public async Task ReadHeartbeatAsync()
        {
            while (await LineAsync() is { } line)
            {
                if (line == ":") return;
            }
            throw new EndOfStreamException();
        }

        public async Task ReadToEndAsync()
        {
            while (await LineAsync() is not null)
            {
            }
        }

        public ValueTask DisposeAsync()
        {
            _reader.Dispose();
            Response.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task<string?> LineAsync()
        {
            using var patience = new CancellationTokenSource(Patience);
            return await _reader.ReadLineAsync(patience.Token);
        }
    }
}
