using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Web.Administration;
using Web.Cache;
using Web.Dicomweb;
using Web.Errors;

namespace Web.Origins;

/// <summary>The origins' page: what there is and how it fares, and a form to add, change and remove. Credentials go in and never come out.</summary>
internal static class OriginPages
{
    public static readonly string[] Kinds = ["folder", "http", "dicomweb", "s3"];

    public static IServiceCollection AddOriginPages(this IServiceCollection services) => services.AddTransient<OriginsClient>();

    public static IEndpointRouteBuilder MapOriginPages(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/origins").ExcludeFromDescription();
        group.MapMethods("", [HttpMethods.Get, HttpMethods.Head], GetPageAsync);
        group.MapGet("/list", GetListAsync);

        var forms = group.MapGroup("").RequireFormToken();
        forms.MapPost("/save", SaveAsync);
        forms.MapPost("/remove", RemoveAsync);
        return app;
    }

    /// <summary>The page; <c>?add=kind</c> and <c>?edit=name</c> open the form, <c>?remove=name</c> asks.</summary>
    private static Task<IResult> GetPageAsync(HttpContext context, OriginsClient origins, TimeProvider time, CancellationToken cancellationToken) => TryAsync(context, origins, time, async () =>
    {
        var query = context.Request.Query;
        if (query["edit"].ToString() is { Length: > 0 } edited)
        {
            var details = await origins.GetAsync(edited, cancellationToken);
            return await PageAsync(context, origins, time, view => view with { Form = OriginDraft.Of(details) }, StatusCodes.Status200OK, cancellationToken);
        }
        if (query["remove"].ToString() is { Length: > 0 } removed)
        {
            var question = new RemoveQuestion(removed, await origins.MeasureAsync(removed, cancellationToken));
            return await PageAsync(context, origins, time, view => view with { Remove = question }, StatusCodes.Status200OK, cancellationToken);
        }
        var added = Kinds.FirstOrDefault(kind => kind == query["add"]);
        return await PageAsync(context, origins, time, view => added is null ? view : view with { Form = new OriginDraft { Kind = added } }, StatusCodes.Status200OK, cancellationToken);
    }, cancellationToken);

    private static async Task<IResult> GetListAsync(OriginsClient origins, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            return new RazorComponentResult<OriginTable>(new { Origins = await origins.GetAllAsync(cancellationToken), Now = time.GetUtcNow() });
        }
        catch (Exception exception) when (exception is ImageApiUnavailableException or RefusedException)
        {
            return TypedResults.StatusCode(StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static async Task<IResult> SaveAsync(HttpContext context, OriginsClient origins, TimeProvider time, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        var (name, isNew) = (form["name"].ToString().Trim(), form["new"] == "yes");
        var kind = Kinds.FirstOrDefault(kind => kind == form["kind"]) ?? Kinds[0];
        return await TryAsync(context, origins, time, async () =>
        {
            var before = isNew ? null : await origins.GetAsync(name, cancellationToken);
            string? Field(string field) => form[field];
            var (settings, wrong) = OriginForm.Read(kind, before?.Settings, Field);
            var failure = wrong.Count > 0 ? "Some fields cannot be read." : null;
            try
            {
                if (failure is null && isNew) await origins.AddAsync(name, settings, cancellationToken);
                else if (failure is null) await origins.ReplaceAsync(name, settings, cancellationToken);
            }
            catch (RefusedException refused)
            {
                failure = refused.Message;
            }
            if (failure is null) return Done(context, isNew ? "added" : "changed", name);
            var draft = new OriginDraft { Name = name, IsNew = isNew, Kind = kind, Secrets = before?.Secrets ?? [], Entered = Field, Wrong = wrong };
            return await PageAsync(context, origins, time, view => view with { Form = draft, Failure = failure }, StatusCodes.Status400BadRequest, cancellationToken);
        }, cancellationToken);
    }

    private static async Task<IResult> RemoveAsync(HttpContext context, OriginsClient origins, TimeProvider time, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        var name = form["name"].ToString();
        return await TryAsync(context, origins, time, async () =>
        {
            await origins.RemoveAsync(name, cancellationToken);
            return Done(context, "removed", name);
        }, cancellationToken);
    }

    private static async Task<IResult> TryAsync(HttpContext context, OriginsClient origins, TimeProvider time, Func<Task<IResult>> work, CancellationToken cancellationToken)
    {
        try
        {
            try
            {
                return await work();
            }
            catch (RefusedException refused)
            {
                return await PageAsync(context, origins, time, view => view with { Failure = refused.Message }, StatusCodes.Status400BadRequest, cancellationToken);
            }
        }
        catch (ImageApiUnavailableException exception)
        {
            return ErrorPages.Unavailable(exception.TimedOut);
        }
    }

    private static async Task<IResult> PageAsync(HttpContext context, OriginsClient origins, TimeProvider time, Func<OriginsView, OriginsView> change, int status, CancellationToken cancellationToken)
    {
        var view = new OriginsView
        {
            Origins = await origins.GetAllAsync(cancellationToken),
            Now = time.GetUtcNow(),
            Token = FormToken.For(context),
            Done = DoneOf(context.Request.Query["done"], context.Request.Query["name"]),
        };
        return new RazorComponentResult<OriginsPage>(new { View = change(view) }) { StatusCode = status };
    }

    private static string? DoneOf(string? done, string? name) => done switch
    {
        // An address can be made by anyone: what is no name of an origin is not repeated.
        _ when name is not { Length: > 0 and <= 32 } || name.Any(static c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')) => null,
        "added" => $"Origin {name} was added; it is asked from now on.",
        "changed" => $"Origin {name} was changed. What was cached of it is forgotten.",
        "removed" => $"Origin {name} was removed, and what was cached of it is forgotten.",
        _ => null,
    };

    private static StatusCodeHttpResult Done(HttpContext context, string done, string name)
    {
        context.Response.Headers.Location = $"/origins?done={done}&name={Uri.EscapeDataString(name)}";
        return TypedResults.StatusCode(StatusCodes.Status303SeeOther);
    }
}

/// <summary>The whole page.</summary>
public sealed record OriginsView
{
    public required IReadOnlyList<OriginInfo> Origins { get; init; }
    public required DateTimeOffset Now { get; init; }
    public required string Token { get; init; }
    public string? Done { get; init; }
    public string? Failure { get; init; }
    public OriginDraft? Form { get; init; }
    public RemoveQuestion? Remove { get; init; }
}

/// <summary>What the form shows: an origin as it is, a new one, or what was entered and not taken.</summary>
public sealed record OriginDraft
{
    public string Name { get; init; } = "";
    public bool IsNew { get; init; } = true;
    public string Kind { get; init; } = "folder";
    public IReadOnlyList<string> Secrets { get; init; } = [];
    public JsonObject Settings { get; init; } = [];
    public Func<string, string?>? Entered { get; init; }
    public IReadOnlyDictionary<string, string> Wrong { get; init; } = new Dictionary<string, string>();

    public static OriginDraft Of(OriginDetails details) => new()
    {
        Name = details.Name,
        IsNew = false,
        Kind = details.Settings["kind"]?.ToString().ToLowerInvariant() ?? "folder",
        Secrets = details.Secrets,
        Settings = details.Settings,
    };

    public string TextOf(OriginField field) => field.Form == FieldForm.Secret ? "" : Entered?.Invoke(field.Name) ?? OriginForm.TextOf(field, Settings);

    public bool IsChecked(OriginField field) => Entered is { } entered ? entered(field.Name) == "yes" : OriginForm.TextOf(field, Settings) == "true";
}

/// <summary>What goes with an origin, to be confirmed.</summary>
public sealed record RemoveQuestion(string Name, CacheCleared Would);
