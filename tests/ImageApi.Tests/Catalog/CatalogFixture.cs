using ImageApi.Catalog;
using ImageApi.Origins;
using ImageApi.Settings;
using ImageApi.Store;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.TieredCache;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Catalog;

/// <summary>Origins, catalog and indexer over real folders, without a web server. The origins are called a and b.</summary>
internal sealed class CatalogFixture : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly List<IHostedService> _running = [];

    private CatalogFixture(TempFolder folder, ServiceProvider services) => (Folder, _services) = (folder, services);

    public TempFolder Folder { get; }
    public string A => Path.Combine(Folder.Path, "a");
    public string B => Path.Combine(Folder.Path, "b");
    public SqliteCatalog Catalog => _services.GetRequiredService<SqliteCatalog>();
    public CatalogIndexer Indexer => _services.GetRequiredService<CatalogIndexer>();
    public OriginSet Origins => _services.GetRequiredService<OriginSet>();

    /// <summary>Opens over a folder; <paramref name="run"/> starts the indexer as the service does.</summary>
    public static async Task<CatalogFixture> OpenAsync(TempFolder folder, bool run = true)
    {
        Directory.CreateDirectory(Path.Combine(folder.Path, "a"));
        Directory.CreateDirectory(Path.Combine(folder.Path, "b"));
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ImageApi:Store:Path"] = Path.Combine(folder.Path, "store"),
            ["ImageApi:Origins:a:Path"] = Path.Combine(folder.Path, "a"),
            ["ImageApi:Origins:b:Path"] = Path.Combine(folder.Path, "b"),
            ["ImageApi:Catalog:SettleTime"] = "00:00:00.050",
        }).Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddLogging().AddMetrics()
            .AddSingleton<ITieredCache>(_ => new Platform.TieredCache.TieredCache(new TieredCacheOptions()))
            .AddSettings().AddOrigins().AddCatalog().AddStore().BuildServiceProvider();
        var fixture = new CatalogFixture(folder, services);
        _ = fixture.Indexer;
        if (run)
        {
            foreach (var service in services.GetServices<IHostedService>())
            {
                await service.StartAsync(CancellationToken.None);
                fixture._running.Add(service);
            }
            await fixture.UntilAsync(() => fixture.Catalog.IsReconciled);
        }
        return fixture;
    }

    /// <summary>Compares both folders with the catalog now.</summary>
    public async Task ReconcileAsync()
    {
        foreach (var origin in Origins.Folders) await Indexer.ReconcileAsync(origin, CancellationToken.None);
    }

    public async Task UntilAsync(Func<bool> condition)
    {
        for (var waited = 0; !condition(); waited++)
        {
            Assert.True(waited < 1200, "It did not happen in 60 s.");
            await Task.Delay(50);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _running) await service.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
    }
}
