using ImageApi.Tests.Support;
using Platform.Tests.Shared;
using Platform.Tests.Shared.Faults;
using Platform.Tests.Shared.S3;

namespace ImageApi.Tests.Origins.S3;

/// <summary>The service with an object store as its origin <c>bucket</c>, and a proxy between them. The folder origin is there too, and empty.</summary>
internal sealed class S3Host : IAsyncDisposable
{
    public const string Bucket = "images", Prefix = "hospital/ct ä/";

    private S3Host(S3Server server, FaultProxy proxy, ImageApiHost host) => (Server, Proxy, Host) = (server, proxy, host);

    public S3Server Server { get; }
    public FaultProxy Proxy { get; }
    public ImageApiHost Host { get; }

    /// <summary>Puts the files of a folder under the prefix, by their relative paths, and starts the service when they are there.</summary>
    public static async Task<S3Host> StartAsync(Action<string> fill, params (string Name, string Value)[] settings)
    {
        var server = await S3Server.StartAsync(Bucket);
        using var folder = new TempFolder();
        fill(folder.Path);
        foreach (var file in Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories))
            await server.PutAsync(Bucket, Prefix + Path.GetRelativePath(folder.Path, file), await File.ReadAllBytesAsync(file));
        return await StartAsync(server, settings);
    }

    public static async Task<S3Host> StartAsync(S3Server server, params (string Name, string Value)[] settings)
    {
        var proxy = FaultProxy.Start(server.Port);
        return new S3Host(server, proxy, await ImageApiHost.StartAsync(static _ => { }, [.. Settings(proxy.Port), .. settings]));
    }

    public static (string Name, string Value)[] Settings(int port) =>
    [
        ("ImageApi:Origins:bucket:Kind", "s3"),
        ("ImageApi:Origins:bucket:ServiceUrl", $"http://127.0.0.1:{port}"),
        ("ImageApi:Origins:bucket:Bucket", Bucket),
        ("ImageApi:Origins:bucket:Prefix", Prefix),
        ("ImageApi:Origins:bucket:AccessKey", S3Server.AccessKey),
        ("ImageApi:Origins:bucket:SecretKey", S3Server.SecretKey),
        ("ImageApi:Origins:bucket:TryTimeout", "00:00:02"),
        ("ImageApi:Origins:bucket:TotalTimeout", "00:00:04"),
    ];

    public Task PutAsync(string item, DicomBuilder builder) => Server.PutAsync(Bucket, Prefix + item, builder.Build());

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Proxy.DisposeAsync();
        await Server.DisposeAsync();
    }
}

/// <summary>One service over <see cref="SyntheticStudies"/> in an object store, and one over the same in a folder, shared by the tests that only read.</summary>
public sealed class S3Fixture : IAsyncLifetime
{
    internal S3Host S3 { get; private set; } = null!;
    internal ImageApiHost Folder { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (ToolPath.Find("s3rver") is null) return;   // the tests skip themselves
        S3 = await S3Host.StartAsync(SyntheticStudies.Fill);
        Folder = await ImageApiHost.StartAsync(SyntheticStudies.Fill);
    }

    public async Task DisposeAsync()
    {
        if (S3 is not null) await S3.DisposeAsync();
        if (Folder is not null) await Folder.DisposeAsync();
    }
}
