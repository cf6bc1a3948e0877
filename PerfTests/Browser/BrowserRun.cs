using System.Globalization;
using System.Net.Http.Headers;
using Microsoft.Playwright;
using PerfTests.Report;
using PerfTests.Versus;
using static PerfTests.Versus.VersusRun;

namespace PerfTests.Browser;

/// <param name="Folder">Of the series.</param>
/// <param name="Rounds">How often everything is done.</param>
/// <param name="Rate">Of the line in bits per second; 0 for none.</param>
/// <param name="RoundTrip">Of the line.</param>
/// <param name="Line"><c>tun</c>, <c>cdp</c> or <c>auto</c>.</param>
/// <param name="IsTraced">Whether a further round traces the main thread.</param>
/// <param name="Chromium">Path of the browser.</param>
internal sealed record BrowserRunOptions(string Folder, int Rounds, double Rate, TimeSpan RoundTrip, string Line, bool IsTraced, string Chromium);

/// <summary>All rounds over one pair of services.</summary>
internal sealed class BrowserRun(BrowserRunOptions options)
{
    private const string Scenario = "browser-series";

    private readonly Dictionary<string, string> _parameters = new()
    {
        ["series"] = Path.GetFileName(options.Folder),
        ["rounds"] = options.Rounds.ToString(CultureInfo.InvariantCulture),
        ["picture"] = "pixels of the canvas, read in every animation frame",
        ["visits"] = "cold: the server never saw the series; warm: it did, the browser did not; revisit: the same browser again",
    };

    public IReadOnlyDictionary<string, string> Parameters => _parameters;

    public async Task<List<Measurement>> RunAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("platform-browser-");
        try
        {
            using var link = options.Rate > 0 && options.Line != "cdp" && (options.Line == "tun" || TunLink.IsAvailable) ? TunLink.Open(options.Rate, options.RoundTrip) : null;
            _parameters["line"] = options.Rate == 0 ? "loopback" : string.Create(CultureInfo.InvariantCulture,
                $"{options.Rate / 1e6:0.#} Mbit/s, {options.RoundTrip.TotalMilliseconds:0} ms round trip, {(link is null ? "emulated by the browser (no TCP dynamics)" : "packets over TUN devices")}");
            var host = link?.Address ?? "127.0.0.1";
            await using var imageApi = await ServiceUnderTest.StartAsync("ImageApi", host, ImageApiEnvironment(folder.FullName), cancellationToken);
            await using var web = await ServiceUnderTest.StartAsync("Web", host, new Dictionary<string, string>
            {
                ["services__image-api__http__0"] = imageApi.Origin,
                ["HOME"] = folder.CreateSubdirectory("home").FullName,
            }, cancellationToken);

            using var playwright = await Playwright.CreateAsync();
            var rows = new VersusRun(options.Rounds, cancellationToken);
            // Somewhere to have been before: page code comes from there.
            var elsewhere = await StoreAsync(imageApi.Address, 999, 5, cancellationToken);
            for (var round = 0; round < options.Rounds + (options.IsTraced ? 1 : 0); round++)
            {
                Console.Error.WriteLine($"{Scenario}: round {round + 1}");
                var isTraced = round == options.Rounds;
                var study = await StoreAsync(imageApi.Address, round, int.MaxValue, cancellationToken);
                await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken); // what the service does on arrival is done
                var visit = new SeriesVisit(web.Origin, imageApi.Origin);
                foreach (var profile in (string[][])[["cold"], ["warm", "revisit"]])
                {
                    await using var context = await LaunchAsync(playwright, link, Path.Combine(folder.FullName, $"profile-{round}-{profile[0]}"));
                    await visit.GoAsync(context, elsewhere, null, false, cancellationToken);
                    foreach (var name in profile) Add(rows, name, await visit.GoAsync(context, study, link is null ? EmulateAsync : null, isTraced, cancellationToken), isTraced);
                }
            }

            return rows.GetMeasurements();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private void Add(VersusRun rows, string visit, Visit seen, bool isTraced)
    {
        var conditions = Conditions(("visit", visit));
        if (isTraced)
        {
            foreach (var (task, name) in new[] { (seen.PageTask, "longest task of the main thread"), (seen.RendererTask, "longest task while WebGL starts") })
            {
                rows.Add(Scenario, "ours", name, "ms", conditions, task?.Milliseconds ?? 0, 1);
                rows.Add(Scenario, "ours", name + ", CPU", "ms", conditions, task?.CpuMilliseconds ?? 0, 1);
            }

            return;
        }

        rows.Add(Scenario, "ours", "click to first picture", "ms", conditions, seen.FirstPictureMs, 1);
        rows.Add(Scenario, "ours", "a usable picture of every slice", "ms", conditions, seen.UsableMs, 1);
        rows.Add(Scenario, "ours", "every slice lossless", "ms", conditions, seen.LosslessMs, 1);
        rows.Add(Scenario, "ours", "image bytes", "By", conditions, seen.ImageBytes, 1);
        rows.Add(Scenario, "ours", "other bytes", "By", conditions, seen.OtherBytes, 1);
        if (options.Rate > 0 && visit != "revisit")
            rows.Add(Scenario, "ours", "every slice lossless over bytes / bandwidth", "1", conditions, seen.LosslessMs / (seen.ImageBytes * 8e3 / options.Rate), 1);
    }

    private async Task<IBrowserContext> LaunchAsync(IPlaywright playwright, TunLink? link, string profile)
    {
        var program = options.Chromium;
        if (link is not null)
        {
            program = profile + ".sh";
            await File.WriteAllTextAsync(program, $"#!/bin/sh\nexec {string.Join(' ', link.CommandAtOtherEnd(options.Chromium))} \"$@\"\n");
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        return await playwright.Chromium.LaunchPersistentContextAsync(profile, new()
        {
            ExecutablePath = program,
            Args = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
            ViewportSize = new() { Width = 1280, Height = 800 },
        });
    }

    private async Task EmulateAsync(IPage page)
    {
        if (options.Rate == 0) return;
        var session = await page.Context.NewCDPSessionAsync(page);
        await session.SendAsync("Network.emulateNetworkConditions", new Dictionary<string, object>
        {
            ["offline"] = false,
            ["latency"] = options.RoundTrip.TotalMilliseconds,
            ["downloadThroughput"] = options.Rate / 8,
            ["uploadThroughput"] = options.Rate / 8,
        });
    }

    /// <summary>Stores the folder's files, at most so many, as a new study; its Study Instance UID.</summary>
    private async Task<string> StoreAsync(Uri imageApi, int round, int most, CancellationToken cancellationToken)
    {
        var files = Directory.EnumerateFiles(options.Folder).Where(StoreScenario.IsDicom).Order(StringComparer.Ordinal).Take(most).ToList();
        var study = StoreScenario.StudyUid(0, round);
        using var http = new HttpClient { BaseAddress = imageApi };
        foreach (var body in StoreScenario.Prepare(files, 10, study))
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = MediaTypeHeaderValue.Parse($"multipart/related; type=\"application/dicom\"; boundary={StoreScenario.Boundary}");
            using var answer = await http.PostAsync("dicomweb/studies", content, cancellationToken);
            answer.EnsureSuccessStatusCode();
        }

        return study;
    }

    private static Dictionary<string, string> ImageApiEnvironment(string folder) => new()
    {
        ["ImageApi__Store__Path"] = Path.Combine(folder, "store"),
        ["ImageApi__Demo__Enabled"] = "false",
        ["TieredCache__Disk__Path"] = Path.Combine(folder, "cache"),
        ["ImageApi__Cors__Origins__0"] = "*",
        ["HOME"] = folder,
    };
}
