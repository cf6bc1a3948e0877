using Microsoft.Playwright;
using Platform.Tests.Shared;

namespace Web.Tests.Support;

/// <summary>
/// The real ImageApi and the real Web as processes, over folders of synthetic studies and volumes, a slow file server and an empty store, with a browser on demand.
/// One for all tests of a collection; what a test stores, it names so that others do not trip over it.
/// </summary>
public sealed class StackFixture : IAsyncLifetime
{
    // Generous: on a busy machine a page that is right may be late, and only a wrong one waits this long.
    private static readonly TimeSpan ExpectTimeout = TimeSpan.FromSeconds(20);

    private readonly TempFolder _folder = new();
    private readonly SemaphoreSlim _starting = new(1, 1);
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private ServiceProcess? _demoFiles;
    private ServiceProcess? _imageApi;
    private ServiceProcess? _web;

    /// <summary>Path of the browser, null where there is none. Guard tests that need it with <c>[BrowserFact]</c>.</summary>
    public static string? BrowserPath { get; } = ToolPath.Find("chromium") ?? ToolPath.Find("chromium-browser") ?? ToolPath.Find("google-chrome");

    public ServiceProcess ImageApi => _imageApi!;

    public ServiceProcess Web => _web!;

    public async Task InitializeAsync()
    {
        var studies = _folder.Combine("studies", "x")[..^2];
        SyntheticStudies.WriteAll(studies);
        SyntheticVolumes.WriteAll(Path.GetDirectoryName(_folder.Combine("volumes", "x"))!);
        _demoFiles = await ServiceProcess.StartAsync("DemoFiles", SyntheticVolumes.DemoFilesEnvironment);
        _imageApi = await ServiceProcess.StartAsync("ImageApi", ImageApiEnvironment(studies));
        _web = await StartWebAsync(ImageApi.Origin);
        await WaitForStudiesAsync();
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_web is not null) await _web.DisposeAsync();
        if (_imageApi is not null) await _imageApi.DisposeAsync();
        if (_demoFiles is not null) await _demoFiles.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Another Web over an ImageApi elsewhere, such as one that is down.</summary>
    public Task<ServiceProcess> StartWebAsync(string imageApi) => ServiceProcess.StartAsync("Web", new Dictionary<string, string?>
    {
        ["services__image-api__http__0"] = imageApi,
        ["HOME"] = _folder.Combine("home", "x")[..^2],
    });

    /// <summary>A browser context of its own, recorded: 1280 x 800 and dark unless told otherwise.</summary>
    public async Task<RecordedPage> OpenAsync(Action<BrowserNewContextOptions>? configure = null)
    {
        var browser = await GetBrowserAsync();
        var options = new BrowserNewContextOptions { ViewportSize = new() { Width = 1280, Height = 800 }, ColorScheme = ColorScheme.Dark };
        configure?.Invoke(options);
        var context = await browser.NewContextAsync(options);
        return await RecordedPage.CreateAsync(context, Web.Origin, ImageApi.Origin);
    }

    private Dictionary<string, string?> ImageApiEnvironment(string studies) => new()
    {
        ["ImageApi__Store__Path"] = _folder.Combine("store", "x")[..^2],
        ["ImageApi__Demo__Enabled"] = "false",
        ["ImageApi__Origins__tests__Kind"] = "folder",
        ["ImageApi__Origins__tests__Path"] = studies,
        ["ImageApi__Origins__scans__Path"] = _folder.Combine("volumes", "x")[..^2],
        ["ImageApi__Origins__demo-files__Kind"] = "http",
        ["ImageApi__Origins__demo-files__Url"] = _demoFiles!.Origin,
        ["HOME"] = _folder.Combine("home", "x")[..^2],
        ["ConnectionStrings__cache"] = null,
    };

    private async Task WaitForStudiesAsync()
    {
        using var http = new HttpClient { BaseAddress = ImageApi.Address };
        for (var i = 0; ; i++)
        {
            using var answer = await http.GetAsync("dicomweb/studies?limit=1");
            var total = answer.Headers.TryGetValues("X-Total-Count", out var values) ? values.First() : "none";
            if (total == $"{SyntheticStudies.FillerCount + 1}") return;
            if (i == 200) throw new InvalidOperationException($"ImageApi lists {total} studies after 20 s:\n{ImageApi.Output}");
            await Task.Delay(100);
        }
    }

    private async Task<IBrowser> GetBrowserAsync()
    {
        await _starting.WaitAsync();
        try
        {
            _playwright ??= await Playwright.CreateAsync();
            Assertions.SetDefaultExpectTimeout((float)ExpectTimeout.TotalMilliseconds);
            return _browser ??= await _playwright.Chromium.LaunchAsync(new()
            {
                ExecutablePath = BrowserPath,
                // Tests run as root in containers; WebGL comes from the software renderer.
                Args = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
            });
        }
        finally
        {
            _starting.Release();
        }
    }
}

/// <summary>Tests that share one <see cref="StackFixture"/>; they run one after another.</summary>
[CollectionDefinition(Name)]
public sealed class StackCollection : ICollectionFixture<StackFixture>
{
    public const string Name = "stack";
}

/// <summary>A fact that needs a browser: skipped, with the reason, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserFactAttribute : FactAttribute
{
    public override string? Skip
    {
        get => base.Skip ?? (StackFixture.BrowserPath is null ? "needs chromium on the PATH" : null);
        set => base.Skip = value;
    }
}

/// <summary>A theory that needs a browser.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public override string? Skip
    {
        get => base.Skip ?? (StackFixture.BrowserPath is null ? "needs chromium on the PATH" : null);
        set => base.Skip = value;
    }
}
