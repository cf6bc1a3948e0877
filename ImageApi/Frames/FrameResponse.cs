using System.Globalization;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Origins;
using ImageApi.Origins.Dicomweb;
using ImageApi.Prefetch;
using ImageApi.Problems;
using ImageApi.Retrieve;

namespace ImageApi.Frames;

/// <summary>The answer to a request for frames of one instance.</summary>
internal sealed class FrameResponse(FrameService frames, EntityResponse responses, PrefetchService prefetch, IOrigins origins)
{
    /// <summary>
    /// Negotiates, validates, and streams the frames in the order given; 1-based numbers. A frame that does not exist is a problem before the
    /// first byte. Ranges are served of single-part answers.
    /// </summary>
    public async Task ServeAsync(HttpContext context, InstanceEntry instance, int[] frameNumbers)
    {
        foreach (var number in frameNumbers)
        {
            if (number >= 1 && number <= instance.FrameCount)
                continue;
            await FrameNotFound(number, instance).ExecuteAsync(context);
            return;
        }
        var freshness = VersionedUrl.Check(context.Request, instance.Content, Freshness.Hour, out var problem);
        if (problem is not null)
        {
            await problem.ExecuteAsync(context);
            return;
        }
        var offers = FrameRepresentations.Of(instance, isSingleFrame: frameNumbers.Length == 1);
        if (ContentNegotiation.Choose(context.Request, offers) is not { } offer)
        {
            if (!await PassThrough.TrySendAsync(context, origins, instance, "/frames/" + string.Join(',', frameNumbers)))
                await NotAcceptable(offers).ExecuteAsync(context);
            return;
        }
        if (offer.IsMultipart)
            await SendMultipartAsync(context, instance, frameNumbers, offer, freshness);
        else
            await SendSingleAsync(context, instance, frameNumbers[0] - 1, offer, freshness);
    }

    private async Task SendSingleAsync(HttpContext context, InstanceEntry instance, int frameIndex, Offer offer, Freshness freshness)
    {
        var entity = new Entity(EntityTags.Of(FrameService.KeyOf(instance, frameIndex), offer.ContentType), offer.ContentType, freshness) { AcceptsRanges = true };
        if (!await responses.BeginAsync(context, entity))
            return;
        using var reading = prefetch.Reading(context, instance, frameIndex);
        await using var lease = await frames.GetAsync(instance, frameIndex, context.RequestAborted);
        CacheStatus.Write(context, lease.Outcome, instance.OriginName);
        await EntityResponse.SendAsync(context, entity, lease);
    }

    private async Task SendMultipartAsync(HttpContext context, InstanceEntry instance, int[] frameNumbers, Offer offer, Freshness freshness)
    {
        var numbers = string.Join(',', frameNumbers);
        var entityTag = EntityTags.Of("frames", instance.Content, $"{offer.ContentType};{numbers}");
        var body = new MultipartBody(offer.MediaType, entityTag);
        if (!await responses.BeginAsync(context, new Entity(entityTag, body.ContentType, freshness)))
            return;
        var location = InstanceUrl.Of(instance) + "/frames/";
        if (FrameService.NativeLength(instance) is { } frameLength)
            context.Response.ContentLength = MultipartLength(body, offer, location, frameNumbers, frameLength);
        var isHead = HttpMethods.IsHead(context.Request.Method);
        var cancellationToken = context.RequestAborted;
        for (var i = 0; i < frameNumbers.Length; i++)
        {
            using var reading = prefetch.Reading(context, instance, frameNumbers[i] - 1);
            await using var lease = await frames.GetAsync(instance, frameNumbers[i] - 1, cancellationToken);
            if (i == 0)
            {
                CacheStatus.Write(context, lease.Outcome, instance.OriginName);
                if (isHead)
                    return;
                await context.Response.StartAsync(cancellationToken);
            }
            await context.Response.BodyWriter.WriteAsync(body.PartHeader(offer.ContentType, location + frameNumbers[i].ToString(CultureInfo.InvariantCulture), isFirst: i == 0), cancellationToken);
            await lease.CopyToAsync(context.Response.BodyWriter, 0, null, cancellationToken);
        }
        await context.Response.BodyWriter.WriteAsync(body.Close, cancellationToken);
    }

    private static long MultipartLength(MultipartBody body, Offer offer, string location, int[] frameNumbers, long frameLength)
    {
        var total = (frameLength * frameNumbers.Length) + body.Close.Length;
        for (var i = 0; i < frameNumbers.Length; i++)
            total += body.PartHeaderLength(offer.ContentType, location, isFirst: i == 0) + Digits(frameNumbers[i]);
        return total;
    }

    private static int Digits(int number)
    {
        var digits = 1;
        for (; number >= 10; number /= 10)
            digits++;
        return digits;
    }

    private static Problem FrameNotFound(int number, InstanceEntry instance) =>
        new(ProblemTypes.FrameNotFound, "No such frame", StatusCodes.Status404NotFound, instance.FrameCount switch
        {
            0 => "The instance has no frames.",
            1 => $"Frame {number} was asked for; the instance has one frame, which is number 1.",
            var count => $"Frame {number} was asked for; the instance has frames 1 to {count}.",
        });

    private static Problem NotAcceptable(IReadOnlyList<Offer> offers) => Problem.NotAcceptable(
        "Stored frames are not decoded or transcoded, and several of them go out as multipart/related only. This can be had as "
        + string.Join(" or ", offers.Select(o => o.IsMultipart ? $"multipart/related;type=\"{o.MediaType}\";transfer-syntax={o.TransferSyntax}" : o.ContentType)) + ".");
}
