using System.Text.Json.Nodes;
using InferenceApi.Sessions;
using Platform.Models;
using Platform.Onnx;

namespace InferenceApi.Models;

/// <summary>What the manager knows, as JSON.</summary>
internal static class ModelJson
{
    public static JsonObject Status(ModelManager models, ModelSessions sessions, BackgroundDownloads background) => new()
    {
        ["runtime"] = new JsonObject { ["available"] = OnnxRuntimeLibrary.IsAvailable, ["version"] = OnnxRuntimeLibrary.Version, ["reason"] = OnnxRuntimeLibrary.WhyUnavailable },
        ["models"] = List(models.List(), model => Model(model, sessions)),
        ["downloads"] = List(models.Downloads(), Progress),
        ["failures"] = List(background.Failures, static failure => new JsonObject { ["model"] = failure.Model, ["detail"] = failure.Reason }),
        ["problems"] = List(models.Catalogue.Problems, static problem => JsonValue.Create(problem)),
    };

    public static JsonObject Model(ModelInfo model, ModelSessions sessions)
    {
        var (manifest, stored) = (model.Manifest, model.Stored);
        return new JsonObject
        {
            ["name"] = manifest.Name,
            ["title"] = manifest.Title,
            ["version"] = manifest.Version,
            ["description"] = manifest.Description,
            ["task"] = manifest.Task.ToString().ToLowerInvariant(),
            ["licence"] = manifest.Licence,
            ["state"] = model.State.ToString().ToLowerInvariant(),
            ["inCatalogue"] = model.IsInCatalogue,
            ["runs"] = manifest.Runs is not null,
            ["runsAfter"] = manifest.RunsAfter,
            ["downloadBytes"] = model.DownloadBytes,
            ["inputs"] = List(manifest.Inputs, static input => new JsonObject { ["name"] = input.Name, ["element"] = input.Element.ToName(), ["shape"] = Shape(input.Shape), ["unit"] = input.Unit.ToString().ToLowerInvariant() }),
            ["outputs"] = List(manifest.Outputs, static output => new JsonObject { ["name"] = output.Name, ["element"] = output.Element.ToName(), ["shape"] = Shape(output.Shape), ["unit"] = output.Unit.ToString().ToLowerInvariant() }),
            ["labels"] = List(manifest.Labels, static label => new JsonObject { ["value"] = label.Value, ["name"] = label.Name, ["color"] = label.Color }),
            ["stored"] = stored is null ? null : new JsonObject
            {
                ["version"] = stored.Version,
                ["digest"] = stored.Digest,
                ["bytes"] = stored.Bytes,
                ["from"] = stored.From,
                ["addedAt"] = stored.AddedAt,
                ["lastUsedAt"] = stored.LastUsedAt,
                ["pinned"] = stored.IsPinned,
                ["inUse"] = stored.InUse,
                ["formats"] = List(stored.Formats, Format),
                ["files"] = List(stored.Files, static file => new JsonObject { ["path"] = file.Path, ["sha256"] = file.Sha256, ["bytes"] = file.Bytes }),
            },
            ["loaded"] = List(sessions.Loaded.Where(session => string.Equals(session.Manifest.Name, manifest.Name, StringComparison.OrdinalIgnoreCase)),
                static session => new JsonObject { ["device"] = session.Session.Device.Device.ToString(), ["bytes"] = session.Bytes, ["loadMilliseconds"] = Math.Round(session.LoadTime.TotalMilliseconds, 1) }),
        };
    }

    public static JsonObject Info(ModelManager models)
    {
        var info = models.GetInfo();
        return new JsonObject
        {
            ["directory"] = info.Directory,
            ["models"] = info.Models,
            ["files"] = info.Files,
            ["bytes"] = info.Bytes,
            ["capacityBytes"] = info.CapacityBytes,
            ["freeBytes"] = info.FreeBytes,
            ["partialBytes"] = info.PartialBytes,
            ["optimizedBytes"] = info.OptimisedBytes,
            ["damagedBytes"] = info.DamagedBytes,
            ["health"] = info.Problems.IsEmpty ? "ok" : "broken",
            ["problems"] = List(info.Problems, static problem => JsonValue.Create(problem)),
            ["formats"] = List(info.Formats, Format),
            ["perModel"] = List(models.Store.List(), static model => new JsonObject { ["name"] = model.Name, ["version"] = model.Version, ["bytes"] = model.Bytes, ["formats"] = List(model.Formats, Format), ["lastUsedAt"] = model.LastUsedAt, ["pinned"] = model.IsPinned }),
        };
    }

    public static JsonObject Findings(IReadOnlyList<StoreFinding> findings) => new()
    {
        ["sound"] = findings.Count == 0,
        ["findings"] = List(findings, static finding => new JsonObject
        {
            ["problem"] = finding.Problem.ToString().ToLowerInvariant(),
            ["model"] = finding.Model,
            ["item"] = finding.Item,
            ["bytes"] = finding.Bytes,
            ["repair"] = finding.Repair.ToString().ToLowerInvariant(),
        }),
    };

    public static JsonObject Progress(ModelProgress progress) => new()
    {
        ["model"] = progress.Model,
        ["stage"] = progress.Stage.ToString().ToLowerInvariant(),
        ["file"] = progress.File,
        ["bytesDone"] = progress.BytesDone,
        ["bytesTotal"] = progress.BytesTotal,
        ["fetchedBytes"] = progress.Fetched,
    };

    private static JsonObject Format(StoredFormat format) => new() { ["format"] = format.Format, ["bytes"] = format.Bytes };

    private static JsonArray Shape(IEnumerable<Platform.Models.Dimension> shape) => List(shape, static dimension => dimension.Symbol is { } name ? JsonValue.Create(name) : JsonValue.Create(dimension.Size));

    private static JsonArray List<T>(IEnumerable<T> items, Func<T, JsonNode?> describe) => new([.. items.Select(describe)]);
}
