namespace ImageApi.Negotiation;

/// <summary>
/// One element of an <c>Accept</c> header (RFC 9110 12.5.1), as PS3.18 8.7.4 uses it: a type, its parameters and a weight.
/// Names and types are lower case; parameter values are kept as sent, without their quotes.
/// </summary>
internal sealed record MediaRange(string Type, IReadOnlyList<KeyValuePair<string, string>> Parameters, double Quality)
{
    public static readonly MediaRange Any = new("*/*", [], 1);

    public string? this[string name]
    {
        get
        {
            foreach (var parameter in Parameters)
                if (parameter.Key == name)
                    return parameter.Value;
            return null;
        }
    }
}
