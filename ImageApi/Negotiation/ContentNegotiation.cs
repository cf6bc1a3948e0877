using Microsoft.Extensions.Primitives;

namespace ImageApi.Negotiation;

/// <summary>
/// Chooses a representation: the <c>accept</c> query parameter when there is one, else the <c>Accept</c> header
/// (PS3.18 8.7.5). Each offer has the weight of the most specific range that names it (RFC 9110 12.5.1); among equal
/// weights what is named more exactly wins, then what was named first, then what the server would rather send.
/// </summary>
internal static class ContentNegotiation
{
    public static Offer? Choose(HttpRequest request, IReadOnlyList<Offer> offers)
    {
        if (!request.QueryString.HasValue || !request.Query.TryGetValue("accept", out var accept) || StringValues.IsNullOrEmpty(accept))
            return Choose(request.Headers.Accept, offers);
        // A plus sign that was not percent-encoded arrives as a space: "application/dicom json".
        return Choose(new StringValues(Array.ConvertAll(accept.ToArray(), a => a?.Replace("dicom ", "dicom+", StringComparison.Ordinal))), offers);
    }

    public static Offer? Choose(StringValues accept, IReadOnlyList<Offer> offers)
    {
        var ranges = AcceptHeader.Parse(accept);
        Offer? best = null;
        var (bestQuality, bestScore, bestPosition) = (0.0, 0, 0);
        foreach (var offer in offers)
        {
            var (score, quality, position) = (0, 0.0, 0);
            for (var i = 0; i < ranges.Count; i++)
                if (offer.Match(ranges[i]) is var match && match > score)
                    (score, quality, position) = (match, ranges[i].Quality, i);
            if (quality <= 0)
                continue;
            var better = quality != bestQuality ? quality > bestQuality
                : score != bestScore ? score > bestScore
                : position < bestPosition;
            if (best is null || better)
                (best, bestQuality, bestScore, bestPosition) = (offer, quality, score, position);
        }
        return best;
    }
}
