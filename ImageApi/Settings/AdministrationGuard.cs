using System.Net;
using ImageApi.Problems;
using Microsoft.Extensions.Options;

namespace ImageApi.Settings;

/// <summary>Who may change how the service works.</summary>
internal sealed class AdministrationOptions
{
    public const string SectionName = "ImageApi:Administration";

    /// <summary>
    /// Networks whose machines may administer without authentication, such as <c>10.0.0.0/24</c>: where Web runs on another machine than ImageApi.
    /// Default none: only this machine.
    /// </summary>
    public string[] Networks { get; set; } = [];
}

internal sealed class AdministrationOptionsValidator : IValidateOptions<AdministrationOptions>
{
    public ValidateOptionsResult Validate(string? name, AdministrationOptions options)
    {
        var wrong = options.Networks.Where(static network => !IPNetwork.TryParse(network, out _))
            .Select(static network => $"{AdministrationOptions.SectionName}:Networks: '{network}' is no network such as 10.0.0.0/24.").ToArray();
        return wrong.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }
}

/// <summary>
/// Stands before endpoints that change something: a page of another site cannot use a person's browser for it, and without authentication
/// only this machine (or a network that was named) may ask.
/// </summary>
internal sealed class AdministrationGuard(IOptions<AdministrationOptions> options, ILogger<AdministrationGuard> logger) : IEndpointFilter
{
    private static readonly string[] ForwardedBy = ["Forwarded", "X-Forwarded-For", "X-Real-IP"];

    private readonly IPNetwork[] _networks = [.. options.Value.Networks.Select(IPNetwork.Parse)];

    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (ReasonAgainst(context.HttpContext) is not { } reason) return next(context);
        logger.AdministrationRefused(reason);
        return ValueTask.FromResult<object?>(new Problem(ProblemTypes.AdministrationRefused, "Administration refused", StatusCodes.Status403Forbidden, reason));
    }

    private string? ReasonAgainst(HttpContext context)
    {
        var request = context.Request;
        // Browsers send one of the two with every unsafe request and let no script change them; programs send neither.
        if (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site && site != "same-origin" && site != "none")
            return "A page of another site asked for it.";
        if (request.Headers.Origin is { Count: > 0 } origin && !IsOwn(request, origin.ToString()))
            return "A page of another origin asked for it.";
        return context.User.Identity is { IsAuthenticated: true } || IsNear(context)
            ? null
            : "Without authentication only the service's own machine may change settings; ImageApi:Administration:Networks names others.";
    }

    private static bool IsOwn(HttpRequest request, string origin) =>
        string.Equals(origin, $"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);

    private bool IsNear(HttpContext context)
    {
        // Behind a proxy on this machine everybody would be near.
        foreach (var name in ForwardedBy)
        {
            if (context.Request.Headers.ContainsKey(name)) return false;
        }
        if (context.Connection.RemoteIpAddress is not { } address) return false;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return IPAddress.IsLoopback(address) || Array.Exists(_networks, network => network.Contains(address));
    }
}
