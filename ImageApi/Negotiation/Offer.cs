namespace ImageApi.Negotiation;

/// <summary>
/// One representation that a resource can be answered in.
/// </summary>
/// <param name="MediaType">The type of the body, or of each part: <c>application/octet-stream</c>, <c>image/jls</c> ...</param>
/// <param name="IsMultipart">Whether the body is <c>multipart/related</c> around such parts (PS3.18 8.7.3.4).</param>
/// <param name="TransferSyntax">UID of the transfer syntax of the bytes; null where the media type has none (metadata).</param>
/// <param name="NeedsTransferSyntax">
/// True where a request without a <c>transfer-syntax</c> parameter means another syntax than this one: compressed frames as
/// <c>application/octet-stream</c>, which by default is explicit VR little endian (PS3.18 8.7.3.5.2).
/// </param>
internal sealed record Offer(string MediaType, bool IsMultipart = false, string? TransferSyntax = null, bool NeedsTransferSyntax = false)
{
    /// <summary>The <c>Content-Type</c> of a single-part body.</summary>
    public string ContentType { get; } = TransferSyntax is null ? MediaType : $"{MediaType};transfer-syntax={TransferSyntax}";

    /// <summary>The <c>Content-Type</c> of each part of a multipart body: quoted, as DICOMweb clients are used to.</summary>
    public string PartContentType { get; } = TransferSyntax is null ? MediaType : $"{MediaType};transfer-syntax=\"{TransferSyntax}\"";

    /// <summary>How well a media range fits: 0 not at all, more the more specific it is.</summary>
    public int Match(MediaRange range)
    {
        if (range.Type == "*/*")
            return FitsTransferSyntax(range, isWildcard: true) ? 1 : 0;
        if (IsMultipart)
        {
            if (range.Type is not ("multipart/related" or "multipart/*"))
                return 0;
            return MatchType(range["type"] ?? "*/*", range, 5);
        }
        return MatchType(range.Type, range, 2);
    }

    private int MatchType(string type, MediaRange range, int score)
    {
        if (type.Equals(MediaType, StringComparison.OrdinalIgnoreCase))
            return FitsTransferSyntax(range, isWildcard: false) ? score + (range["transfer-syntax"] is null ? 1 : 2) : 0;
        var isWildcard = type == "*/*" || (type.EndsWith("/*", StringComparison.Ordinal)
            && MediaType.AsSpan().StartsWith(type.AsSpan(0, type.Length - 1), StringComparison.OrdinalIgnoreCase));
        return isWildcard && FitsTransferSyntax(range, isWildcard: true) ? score : 0;
    }

    private bool FitsTransferSyntax(MediaRange range, bool isWildcard) => range["transfer-syntax"] switch
    {
        null => isWildcard || !NeedsTransferSyntax,
        "*" => true,
        var uid => TransferSyntax is null || uid == TransferSyntax,
    };
}
