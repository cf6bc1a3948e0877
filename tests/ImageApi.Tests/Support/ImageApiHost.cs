using ImageApi.Catalog;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Support;

/// <summary>
/// The real service on a real Kestrel and a free port, with a store, a catalog and a folder of its own. The folder is an origin called <c>test</c>.
/// </summary>
internal sealed class ImageApiHost : IAsyncDisposable
{
    private readonly Factory _factory;

    private readonly bool _ownsFolder;

    private ImageApiHost(Factory factory, TempFolder folder, bool ownsFolder)
    {
        _factory = factory;
        _ownsFolder = ownsFolder;
        Folder = folder;
        Client = factory.CreateClient();
        Client.Timeout = TimeSpan.FromSeconds(30);
    }

    /// <summary>Holds <c>data</c>, the origin, and <c>store</c>.</summary>
    public TempFolder Folder { get; }

    /// <summary>Sends no Accept and no Accept-Encoding, and decompresses nothing.</summary>
    public HttpClient Client { get; }

    public IServiceProvider Services => _factory.Services;

    public Uri Address => Client.BaseAddress!;

    /// <summary>Starts when the folder has been filled and indexed.</summary>
    public static Task<ImageApiHost> StartAsync(Action<string> fill, params (string Name, string Value)[] settings)
    {
        var folder = new TempFolder();
        var data = folder.Combine("data", "x")[..^2];
        fill(data);
        return StartOnAsync(folder, data, settings);
    }

    /// <summary>Starts over a folder that is there already, such as real images.</summary>
    public static Task<ImageApiHost> StartOverAsync(string data, params (string Name, string Value)[] settings) => StartOnAsync(new TempFolder(), data, settings);

    /// <summary>Starts over a store, a cache and data that outlive the host, with services replaced: <c>data</c>, <c>store</c> and <c>cache</c> in the folder.</summary>
    public static Task<ImageApiHost> StartAgainAsync(TempFolder folder, Action<IServiceCollection> replace, params (string Name, string Value)[] settings) =>
        StartOnAsync(folder, folder.Combine("data", "x")[..^2], settings, replace, ownsFolder: false);

    private static async Task<ImageApiHost> StartOnAsync(TempFolder folder, string data, (string Name, string Value)[] settings, Action<IServiceCollection>? replace = null, bool ownsFolder = true)
    {
        var factory = new Factory(replace,
        [
            ("ImageApi:Store:Path", folder.Combine("store")),
            ("TieredCache:Disk:Path", folder.Combine("cache")),
            ("ImageApi:Origins:test:Path", data),
            ("ImageApi:Catalog:SettleTime", "00:00:00.050"),
            ("ImageApi:Demo:Enabled", "false"),
            ("ImageApi:WarmUp:Enabled", "false"),
            .. settings,
        ]);
        factory.UseKestrel(0);
        factory.StartServer();
        var host = new ImageApiHost(factory, folder, ownsFolder);
        var catalog = host.Services.GetRequiredService<ICatalog>();
        for (var waited = 0; !catalog.Status.IsReconciled; waited++)
        {
            Assert.True(waited < 600, "The catalog was not ready in 30 s.");
            await Task.Delay(50);
        }
        return host;
    }

    /// <summary>Sends one request with headers as given, the values unchecked.</summary>
    public async Task<HttpResponseMessage> SendAsync(string path, params (string Name, string Value)[] headers) => await SendAsync(HttpMethod.Get, path, headers);

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await Client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _factory.DisposeAsync();
        if (_ownsFolder)
            Folder.Dispose();
    }

    private sealed class Factory(Action<IServiceCollection>? replace, (string Name, string Value)[] settings) : WebApplicationFactory<Program>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseEnvironment("Production");
            foreach (var (name, value) in settings)
                builder.UseSetting(name, value);
            if (replace is not null)
                builder.ConfigureServices(replace);
        }
    }
}
