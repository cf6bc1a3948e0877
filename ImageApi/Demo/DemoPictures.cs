using System.Buffers;
using ImageApi.Pictures;
using Microsoft.Extensions.Options;
using Platform.Codecs.Jpeg;

namespace ImageApi.Demo;

/// <summary>Puts three pictures (<see cref="DemoScenes"/>) where there are none, by the way that every upload takes.</summary>
internal sealed class DemoPictures(IOptions<DemoOptions> options, PictureFolder folder, PictureService pictures, ILogger<DemoPictures> logger) : BackgroundService
{
    private const int Quality = 82;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled) return;
        await Task.Yield();
        try
        {
            if (folder.List(stoppingToken).Count > 0) return;
            foreach (var (name, colour) in DemoScenes.All.Reverse())   // the youngest comes first in the list
            {
                using var upload = Upload(name, DemoScenes.Render(colour, stoppingToken), stoppingToken);
                await pictures.StoreAsync(upload, replaced: null, static _ => true, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (Exception exception)
        {
            logger.DemoFailed(exception);
        }
    }

    private PictureUpload Upload(string name, byte[] pixels, CancellationToken cancellationToken)
    {
        var file = new ArrayBufferWriter<byte>(256 << 10);
        new JpegFrameEncoder().Encode(pixels, DemoScenes.Width, DemoScenes.Height, 3, Quality, file, cancellationToken);
        return PictureUpload.Of(folder, name, file.WrittenSpan);
    }
}
