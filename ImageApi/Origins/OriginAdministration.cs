using System.Text.Json.Nodes;
using ImageApi.HttpCaching;
using ImageApi.Problems;
using Platform.TieredCache;

namespace ImageApi.Origins;

/// <summary>
/// Adds, changes and removes origins while the service runs. What was cached of an origin that changes or goes is forgotten: under the same name
/// another server may give other bytes.
/// </summary>
internal sealed class OriginAdministration(OriginSettings settings, OriginSet origins, ITieredCache cache, ILogger<OriginAdministration> logger) : IDisposable
{
    /// <summary>Far more than anyone looks after by hand, and few enough for every search to ask all.</summary>
    private const int MaxOrigins = 200;

    private readonly SemaphoreSlim _changing = new(1);

    /// <summary>Adds an origin; the document names it.</summary>
    /// <returns>Its name; or why nothing was changed.</returns>
    public Task<(string? Name, Problem? Problem)> AddAsync(JsonObject document, CancellationToken cancellationToken) => ChangeAsync(() =>
    {
        if (document["name"] is not JsonValue value || !value.TryGetValue<string>(out var name)) return (null, Refusal("It has no 'name'."));
        if (settings.Exists(name) || name.Equals(IOrigins.StoreName, StringComparison.OrdinalIgnoreCase)) return (null, Conflict("There is an origin of that name."));
        if (settings.All.Count >= MaxOrigins) return (null, Conflict($"There are {MaxOrigins} origins."));
        var body = (JsonObject)document.DeepClone();
        body.Remove("name");
        return Keep(name, body, before: null);
    }, cancellationToken);

    /// <summary>Sets an origin up anew. Secrets that the document leaves out stay.</summary>
    public Task<(string? Name, Problem? Problem)> ReplaceAsync(string name, JsonObject document, CancellationToken cancellationToken) => ChangeAsync(() =>
        Editable(name) is { } problem ? (null, problem) : Keep(name, document, settings.Find(name)), cancellationToken);

    /// <summary>Removes an origin and what was cached of it.</summary>
    public Task<(string? Name, Problem? Problem)> RemoveAsync(string name, CancellationToken cancellationToken) => ChangeAsync(() =>
    {
        if (Editable(name) is { } problem) return (null, problem);
        settings.Keep(name, null);
        return (name, null);
    }, cancellationToken);

    public void Dispose() => _changing.Dispose();

    private async Task<(string? Name, Problem? Problem)> ChangeAsync(Func<(string? Name, Problem? Problem)> change, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            var before = settings.Kept;
            var changed = change();
            if (changed.Name is not { } name) return changed;
            try
            {
                origins.Change(settings.All);
            }
            catch
            {
                settings.Keep(before);
                throw;
            }
            await cache.InvalidateAsync(CacheTags.Origin(name), CancellationToken.None);
            logger.OriginsChanged(name);
            return changed;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (null, new Problem(ProblemTypes.StorageFull, "Settings could not be kept", StatusCodes.Status507InsufficientStorage, "The settings file cannot be written; nothing was changed."));
        }
        finally
        {
            _changing.Release();
        }
    }

    private (string? Name, Problem? Problem) Keep(string name, JsonObject document, OriginOptions? before)
    {
        if (OriginDocument.Read(document, before, out var wrong) is not { } origin) return (null, Refusal(wrong!));
        var failures = OriginsOptionsValidator.Check(name, origin).Select(static failure => failure.TrimStart(':', ' ')).ToArray();
        if (failures.Length > 0) return (null, Refusal(string.Join(' ', failures)));
        settings.Keep(name, origin);
        return (name, null);
    }

    private Problem? Editable(string name) => settings.IsEditable(name) ? null
        : settings.Exists(name) || name == IOrigins.StoreName ? Conflict("The origin belongs to the configuration, and is changed there.")
        : Problem.NotFound("There is no such origin.");

    private static Problem Refusal(string detail) => new(ProblemTypes.InvalidSettings, "An origin that cannot be", StatusCodes.Status400BadRequest, detail);

    private static Problem Conflict(string detail) => new(ProblemTypes.OriginConflict, "Not to be changed", StatusCodes.Status409Conflict, detail);
}
