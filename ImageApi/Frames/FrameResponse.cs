using System.Globalization;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Origins;
using ImageApi.Origins.Dicomweb;
using ImageApi.Prefetch;
using ImageApi.Problems;
using ImageApi.Retrieve;
using Platform.TieredCache;

namespace ImageApi.Frames;

/// <summary>The answer to a request for frames of one instance.</summary>
internal sealed class FrameResponse(FrameService frames, EntityResponse responses, PrefetchService prefetch, IOrigins origins, FrameActivity activity)
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
        while (true)
        {
            if (ContentNegotiation.Choose(context.Request, offers) is not { } offer)
            {
                if (!await PassThrough.TrySendAsync(context, origins, instance, "/frames/" + string.Join(',', frameNumbers)))
                    await NotAcceptable(instance, offers).ExecuteAsync(context);
                return;
            }
            if (!FrameForms.IsAsStored(instance, FrameForms.Of(instance, offer.TransferSyntax!)) && VersionedUrl.CheckEncoding(context.Request, FrameForms.Encoding) is { } stale)
            {
                await stale.ExecuteAsync(context);
                return;
            }
            try
            {
                if (offer.IsMultipart) await SendMultipartAsync(context, instance, frameNumbers, offer, freshness);
                else await SendSingleAsync(context, instance, frameNumbers[0] - 1, offer, freshness);
                return;
            }
            catch (UnfaithfulFrameException) when (!context.Response.HasStarted)
            {
                // The next best of what was asked for; as stored it can always be had.
                offers = FrameRepresentations.Without(offers, offer);
                context.Response.Headers.AcceptRanges = default;
                context.Response.ContentLength = null;
            }
        }
    }

    private async Task SendSingleAsync(HttpContext context, InstanceEntry instance, int frameIndex, Offer offer, Freshness freshness)
    {
        var form = FrameForms.Of(instance, offer.TransferSyntax!);
        var entity = new Entity(EntityTags.Of(FrameService.KeyOf(instance, frameIndex, form), offer.ContentType), offer.ContentType, freshness) { AcceptsRanges = true };
        if (!await responses.BeginAsync(context, entity))
            return;
        using var reading = prefetch.Reading(context, instance, frameIndex);
        activity.Asked();
        await using var lease = await frames.GetAsync(instance, frameIndex, form, context.RequestAborted);
        CacheStatus.Write(context, lease.Outcome, instance.OriginName);
        await WriteDigestAsync(context, instance, frameIndex, lease.Header.PixelDigest);
        await EntityResponse.SendAsync(context, entity, lease);
    }

    /// <summary>Says what the pixels are: where it is known, and to HEAD always, which may take decoding the frame.</summary>
    private async ValueTask WriteDigestAsync(HttpContext context, InstanceEntry instance, int frameIndex, Digest256 known)
    {
        if (known.IsNone && !frames.TryGetDigest(instance, frameIndex, out known) && HttpMethods.IsHead(context.Request.Method))
            known = (await frames.GetFactsAsync(instance, frameIndex, context.RequestAborted))?.PixelDigest ?? default;
        if (!known.IsNone)
            context.Response.Headers[PixelDigest.HeaderName] = known.ToString();
    }

    private async Task SendMultipartAsync(HttpContext context, InstanceEntry instance, int[] frameNumbers, Offer offer, Freshness freshness)
    {
        var form = FrameForms.Of(instance, offer.TransferSyntax!);
        var numbers = string.Join(',', frameNumbers);
        var recipe = FrameForms.RecipeOf(instance, form);
        var entityTag = EntityTags.Of("frames", instance.Content, $"{offer.PartContentType};{recipe};{numbers}");
        var body = new MultipartBody(offer.MediaType, entityTag);
        if (!await responses.BeginAsync(context, new Entity(entityTag, body.ContentType, freshness)))
            return;
        var location = InstanceUrl.Of(instance) + "/frames/";
        if (form == FrameForm.AsStored && FrameService.NativeLength(instance) is { } frameLength)
            context.Response.ContentLength = MultipartLength(body, offer, location, frameNumbers, frameLength);
        var isHead = HttpMethods.IsHead(context.Request.Method);
        var cancellationToken = context.RequestAborted;
        activity.Asked();
        for (var i = 0; i < frameNumbers.Length; i++)
        {
            using var reading = prefetch.Reading(context, instance, frameNumbers[i] - 1);
            await using var lease = await frames.GetAsync(instance, frameNumbers[i] - 1, form, cancellationToken);
            if (i == 0)
            {
                CacheStatus.Write(context, lease.Outcome, instance.OriginName);
                if (frameNumbers.Length == 1)
                    await WriteDigestAsync(context, instance, frameNumbers[0] - 1, lease.Header.PixelDigest);
                if (isHead)
                    return;
                await context.Response.StartAsync(cancellationToken);
            }
            await context.Response.BodyWriter.WriteAsync(body.PartHeader(offer.PartContentType, location + frameNumbers[i].ToString(CultureInfo.InvariantCulture), isFirst: i == 0), cancellationToken);
            await lease.CopyToAsync(context.Response.BodyWriter, 0, null, cancellationToken);
        }
        await context.Response.BodyWriter.WriteAsync(body.Close, cancellationToken);
    }

    private static long MultipartLength(MultipartBody body, Offer offer, string location, int[] frameNumbers, long frameLength)
    {
        var total = (frameLength * frameNumbers.Length) + body.Close.Length;
        for (var i = 0; i < frameNumbers.Length; i++)
            total += body.PartHeaderLength(offer.PartContentType, location, isFirst: i == 0) + Digits(frameNumbers[i]);
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

    private static Problem NotAcceptable(InstanceEntry instance, IReadOnlyList<Offer> offers) => Problem.NotAcceptable(
        (FrameForms.CanDecode(instance) ? "" : $"Frames of transfer syntax {FrameForms.StoredSyntaxOf(instance)} are passed on as stored and not decoded here. ")
        + "Several frames go out as multipart/related only. This can be had as "
        + string.Join(" or ", offers.Select(o => o.IsMultipart ? $"multipart/related;type=\"{o.MediaType}\";transfer-syntax={o.TransferSyntax}" : o.ContentType)) + ".");
}
