using System.Buffers;
using System.Runtime.InteropServices;
using ImageApi.Catalog;
using ImageApi.Store;
using Microsoft.Extensions.Options;

namespace ImageApi.Demo;

/// <summary>Puts the demo studies, a CT and a slide, into an empty store, by the way that every instance takes, while the service already answers.</summary>
internal sealed class DemoSeeder(IOptions<DemoOptions> options, ICatalog catalog, StoreService store, TimeProvider time, ILogger<DemoSeeder> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled) return;
        await Task.Yield();
        try
        {
            // What lies in the folders is known only when they have been compared with the catalog.
            while (!catalog.Status.IsReconciled) await Task.Delay(TimeSpan.FromMilliseconds(50), time, stoppingToken);
            if (catalog.Status.InstanceCount > 0) return;
            await SeedAsync(stoppingToken);
            await Task.Run(() => SeedSlideAsync(stoppingToken), stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (Exception exception)
        {
            logger.DemoFailed(exception);   // a service without a demo is still a service
        }
    }

    private async Task SeedAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var next = -1;
        var stored = 0;
        var workers = Enumerable.Range(0, Math.Clamp(Environment.ProcessorCount, 1, 4)).Select(_ => Task.Run(async () =>
        {
            var series = new PhantomSeries();
            var buffer = new ArrayBufferWriter<byte>(600 << 10);
            for (int slice; (slice = Interlocked.Increment(ref next)) < PhantomSeries.SliceCount;)
            {
                buffer.ResetWrittenCount();
                series.Write(buffer, slice);
                using var body = AsStream(buffer);
                var result = await store.StoreAsync(body, series.StudyUid, cancellationToken);
                Interlocked.Add(ref stored, result.StoredCount);
            }
        }, cancellationToken)).ToArray();
        await Task.WhenAll(workers);
        if (stored == PhantomSeries.SliceCount) logger.DemoStored(time.GetElapsedTime(started).TotalSeconds);
        else logger.DemoIncomplete(stored, PhantomSeries.SliceCount);
    }

    private async Task SeedSlideAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var slide = new PhantomSlide();
        var stored = 0;
        foreach (var instance in slide.Make(cancellationToken))
        {
            using var body = new MemoryStream(instance.ToArray(), writable: false);
            stored += (await store.StoreAsync(body, slide.StudyUid, cancellationToken)).StoredCount;
        }
        if (stored == PhantomSlide.InstanceCount) logger.DemoSlideStored(time.GetElapsedTime(started).TotalSeconds);
        else logger.DemoIncomplete(stored, PhantomSlide.InstanceCount);
    }

    private static MemoryStream AsStream(ArrayBufferWriter<byte> buffer) => MemoryMarshal.TryGetArray(buffer.WrittenMemory, out var bytes)
        ? new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false)
        : new MemoryStream(buffer.WrittenMemory.ToArray(), writable: false);
}
