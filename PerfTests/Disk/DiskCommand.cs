using System.CommandLine;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Platform.TieredCache;

namespace PerfTests.Disk;

/// <summary>
/// <c>disk</c>: the disk tier by itself. <c>start</c> times a service's start over a full folder; <c>serve</c> is a server that gives files through the tier, a
/// target for <c>versus</c> beside nginx.
/// </summary>
internal static class DiskCommand
{
    private static readonly EntryPolicy Policy = EntryPolicy.For(EntryKind.File);

    public static Command Create()
    {
        var folder = new Option<DirectoryInfo>("--folder") { Required = true, Description = "The tier's folder; made when missing, and left." };
        var entries = new Option<int>("--entries") { DefaultValueFactory = _ => 100_000 };
        var bytes = new Option<int>("--bytes") { DefaultValueFactory = _ => 1000, Description = "Of each value." };
        var start = new Command("start", "Fills the folder, then times from the cache's making to its first hit, and to having seen the whole folder.") { folder, entries, bytes };
        start.SetAction((parse, token) => StartAsync(parse.GetValue(folder)!.FullName, parse.GetValue(entries), parse.GetValue(bytes), token));

        var root = new Option<DirectoryInfo>("--root") { Required = true, Description = "The files that it gives." };
        var port = new Option<int>("--port") { Required = true };
        var serve = new Command("serve", "Gives the files below the root over HTTP, from the disk tier.") { folder, root, port };
        serve.SetAction((parse, token) => ServeAsync(parse.GetValue(folder)!.FullName, parse.GetValue(root)!.FullName, parse.GetValue(port), token));
        return new Command("disk", "The disk tier by itself.") { start, serve };
    }

    private static async Task<int> StartAsync(string folder, int entries, int bytes, CancellationToken cancellationToken)
    {
        await using (var cache = NewCache(folder))
        {
            var watch = TimeProvider.System.GetTimestamp();
            for (var i = 0; i < entries; i++)
            {
                await (await cache.GetOrCreateAsync(KeyOf($"{i}"), bytes, Policy, static (n, writer, _) =>
                {
                    writer.Start(new EntryHeader("application/octet-stream") { Length = n });
                    writer.GetSpan(n)[..n].Fill(7);
                    writer.Advance(n);
                    return Task.CompletedTask;
                }, cancellationToken)).DisposeAsync();
                if (i % 32 == 31) await cache.FlushAsync(cancellationToken);
            }

            await cache.FlushAsync(cancellationToken);
            Say("fill", TimeProvider.System.GetElapsedTime(watch));
        }

        for (var round = 0; round < 5; round++)
        {
            var started = TimeProvider.System.GetTimestamp();
            await using var cache = NewCache(folder);
            await using (var lease = await cache.TryGetAsync(KeyOf($"{entries - 1 - round}"), cancellationToken))
                if (lease?.Outcome.Tier != CacheTier.Disk) throw new InvalidDataException("The last value is not there.");
            Say("first hit", TimeProvider.System.GetElapsedTime(started));
            while (!cache.DiskTier!.HasLooked) await Task.Delay(1, cancellationToken);
            Say("whole folder seen", TimeProvider.System.GetElapsedTime(started));
            if (cache.DiskTier.Index.Count < entries) throw new InvalidDataException($"{cache.DiskTier.Index.Count} of {entries} were found.");
        }

        return 0;

        static void Say(string what, TimeSpan took) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-20} {took.TotalMilliseconds,10:n1} ms"));
    }

    private static async Task<int> ServeAsync(string folder, string root, int port, CancellationToken cancellationToken)
    {
        await using var cache = NewCache(folder);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        await using var app = builder.Build();
        app.MapGet("/{**path}", async (string path, HttpContext context) =>
        {
            var file = Path.GetFullPath(Path.Combine(root, path));
            if (!file.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal) || !File.Exists(file)) return Results.NotFound();
            await using var lease = await cache.GetOrCreateAsync(KeyOf(path), file, Policy, ReadAsync, context.RequestAborted);
            context.Response.ContentLength = lease.Header.Length;
            context.Response.ContentType = lease.Header.MediaType;
            await lease.CopyToAsync(context.Response.BodyWriter, 0, null, context.RequestAborted);
            return Results.Empty;
        });
        await app.StartAsync(cancellationToken);
        await app.WaitForShutdownAsync(cancellationToken);
        return 0;
    }

    private static async Task ReadAsync(string file, EntryWriter to, CancellationToken cancellationToken)
    {
        await using var stream = File.OpenRead(file);
        to.Start(new EntryHeader("application/octet-stream") { Length = stream.Length });
        while (await stream.ReadAsync(to.GetMemory(64 << 10), cancellationToken) is > 0 and var read)
        {
            to.Advance(read);
            await to.FlushAsync(cancellationToken);
        }
    }

    private static TieredCache NewCache(string folder) => new(new TieredCacheOptions { Disk = { Path = folder, CapacityItems = 1_000_000 } });

    private static CacheKey KeyOf(string item) => new(ContentId.Of("disk", item, []), EntryKind.File, RecipeId.AsStored, 0);
}
