using Microsoft.AspNetCore.Http.HttpResults;
using Web.Administration;
using Web.Dicomweb;

namespace Web.Models;

/// <summary>The models' page: what there is, what is here and loaded, and buttons to fetch, verify, optimise, pin and remove. Works without scripts; with them it is live.</summary>
internal static class ModelPages
{
    private const long MaxAnswerBytes = 4 << 20;

    public static IServiceCollection AddModelPages(this IServiceCollection services)
    {
        services.AddHttpClient<ModelsClient>(static http =>
        {
            http.BaseAddress = new Uri("http://inference-api");
            http.Timeout = TimeSpan.FromMinutes(5);   // verifying reads every byte
            http.MaxResponseContentBufferSize = MaxAnswerBytes;
        });
        return services;
    }

    public static IEndpointRouteBuilder MapModelPages(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/models").ExcludeFromDescription();
        group.MapMethods("", [HttpMethods.Get, HttpMethods.Head], GetPageAsync);
        group.MapGet("/list", GetListAsync);

        var forms = group.MapGroup("").RequireFormToken();
        Action("/get", "getting", static (models, name, token) => models.DownloadAsync(name, token));
        Action("/pin", "pinned", static (models, name, token) => models.PinAsync(name, true, token));
        Action("/unpin", "unpinned", static (models, name, token) => models.PinAsync(name, false, token));
        Action("/remove", "removed", static (models, name, token) => models.RemoveAsync(name, token));
        forms.MapPost("/optimize", (HttpContext context, ModelsClient models, TimeProvider time, CancellationToken cancellationToken) =>
            ActAsync(context, models, time, async (name, token) => (await models.OptimizeAsync(name, token)).Kept ? "optimized" : "not-faster", cancellationToken));
        forms.MapPost("/verify", VerifyAsync);
        return app;

        void Action(string path, string done, Func<ModelsClient, string, CancellationToken, Task> act) =>
            forms.MapPost(path, (HttpContext context, ModelsClient models, TimeProvider time, CancellationToken cancellationToken) => ActAsync(context, models, time, async (name, token) =>
            {
                await act(models, name, token);
                return done;
            }, cancellationToken));
    }

    /// <summary>The page; <c>?remove=name</c> asks first.</summary>
    private static Task<IResult> GetPageAsync(HttpContext context, ModelsClient models, TimeProvider time, CancellationToken cancellationToken) =>
        PageAsync(context, models, time, view => view with { Remove = view.Status?.Models.FirstOrDefault(model => model.Stored is not null && model.Name == context.Request.Query["remove"]) }, cancellationToken);

    private static async Task<IResult> GetListAsync(HttpContext context, ModelsClient models, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            var view = await ReadAsync(context, models, time, cancellationToken);
            return new RazorComponentResult<ModelTable>(new { View = view });
        }
        catch (Exception exception) when (exception is ImageApiUnavailableException or RefusedException)
        {
            return TypedResults.StatusCode(StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static async Task<IResult> ActAsync(HttpContext context, ModelsClient models, TimeProvider time, Func<string, CancellationToken, Task<string>> act, CancellationToken cancellationToken)
    {
        var name = (await context.Request.ReadFormAsync(cancellationToken))["model"].ToString();
        try
        {
            var done = await act(name, cancellationToken);
            context.Response.Headers.Location = $"/models?done={done}&name={Uri.EscapeDataString(name)}";
            return TypedResults.StatusCode(StatusCodes.Status303SeeOther);
        }
        catch (RefusedException refused)
        {
            return await PageAsync(context, models, time, view => view with { Failure = refused.Message }, cancellationToken, StatusCodes.Status400BadRequest);
        }
        catch (ImageApiUnavailableException)
        {
            return await PageAsync(context, models, time, static view => view with { Failure = "The inference service could not do that now." }, cancellationToken, StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static async Task<IResult> VerifyAsync(HttpContext context, ModelsClient models, TimeProvider time, CancellationToken cancellationToken)
    {
        var repair = (await context.Request.ReadFormAsync(cancellationToken))["repair"] == "yes";
        try
        {
            var verified = await models.VerifyAsync(repair, cancellationToken);
            return await PageAsync(context, models, time, view => view with { Verified = verified, WasRepaired = repair }, cancellationToken);
        }
        catch (Exception exception) when (exception is RefusedException or ImageApiUnavailableException)
        {
            return await PageAsync(context, models, time, view => view with { Failure = exception is RefusedException ? exception.Message : "The inference service does not answer." }, cancellationToken, StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static async Task<IResult> PageAsync(HttpContext context, ModelsClient models, TimeProvider time, Func<ModelsView, ModelsView> change, CancellationToken cancellationToken, int status = StatusCodes.Status200OK)
    {
        ModelsView view;
        try
        {
            view = await ReadAsync(context, models, time, cancellationToken);
        }
        catch (Exception exception) when (exception is ImageApiUnavailableException or RefusedException)
        {
            view = new ModelsView { Now = time.GetUtcNow(), Token = FormToken.For(context), Failure = "The inference service does not answer. What is stored is not affected." };
            status = StatusCodes.Status503ServiceUnavailable;
            return new RazorComponentResult<ModelsPage>(new { View = view }) { StatusCode = status };
        }
        return new RazorComponentResult<ModelsPage>(new { View = change(view) }) { StatusCode = status };
    }

    private static async Task<ModelsView> ReadAsync(HttpContext context, ModelsClient models, TimeProvider time, CancellationToken cancellationToken) => new()
    {
        Status = await models.GetStatusAsync(cancellationToken),
        Info = await models.GetInfoAsync(cancellationToken),
        Now = time.GetUtcNow(),
        Token = FormToken.For(context),
        Done = DoneOf(context.Request.Query["done"], context.Request.Query["name"]),
    };

    private static string? DoneOf(string? done, string? name) => done switch
    {
        // An address can be made by anyone: what is no model's name is not repeated.
        _ when name is not { Length: > 0 and <= 64 } || name.Any(static c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) => null,
        "getting" => $"{name} is on its way.",
        "pinned" => $"{name} is pinned: it is kept when room is made.",
        "unpinned" => $"{name} is no longer pinned.",
        "removed" => $"{name} was removed.",
        "optimized" => $"{name} loads faster in the runtime's own form, which is kept.",
        "not-faster" => $"{name} does not load faster in the runtime's own form: nothing was kept.",
        _ => null,
    };
}

/// <summary>The whole page.</summary>
public sealed record ModelsView
{
    /// <summary>Null while the service does not answer.</summary>
    public ModelsStatus? Status { get; init; }
    public ModelsInfo? Info { get; init; }
    public required DateTimeOffset Now { get; init; }
    public required string Token { get; init; }
    public string? Done { get; init; }
    public string? Failure { get; init; }
    public ModelInfo? Remove { get; init; }
    public ModelsVerified? Verified { get; init; }
    public bool WasRepaired { get; init; }
}
