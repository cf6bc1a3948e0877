using System.Text.Json;
using System.Text.Json.Nodes;
using Cli.Cache;
using Platform.Models;
using Spectre.Console;

namespace Cli.Models;

/// <summary>Models as tables, and as JSON.</summary>
internal static class ModelTables
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static void WriteJson(this Terminal terminal, JsonNode json) => terminal.Output.WriteLine(json.ToJsonString(Indented));

    public static void WriteTable(this Terminal terminal, string[] columns, IEnumerable<string[]> rows)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns) table.AddColumn(new TableColumn(column));
        foreach (var row in rows) table.AddRow([.. row.Select(Markup.Escape)]);
        terminal.Results.Write(table);
    }

    public static string State(ModelInfo model) => model.State switch
    {
        ModelState.Absent => "not here",
        ModelState.Stored => model.Stored!.IsPinned ? "here, pinned" : "here",
        ModelState.Outdated => "here, older",
        ModelState.Broken => "broken",
        _ => "on its way",
    };

    public static string Size(ModelInfo model) => model.Stored is { } stored ? Figures.Bytes(stored.Bytes) : model.DownloadBytes is { } bytes ? Figures.Bytes(bytes) : "?";

    public static JsonObject ToJson(ModelInfo model) => new()
    {
        ["name"] = model.Manifest.Name,
        ["title"] = model.Manifest.Title,
        ["version"] = model.Manifest.Version,
        ["task"] = model.Manifest.Task.ToString().ToLowerInvariant(),
        ["licence"] = model.Manifest.Licence,
        ["state"] = model.State.ToString().ToLowerInvariant(),
        ["runs"] = model.Manifest.Runs is not null,
        ["runsAfter"] = model.Manifest.RunsAfter,
        ["downloadBytes"] = model.DownloadBytes,
        ["stored"] = model.Stored is not { } stored ? null : new JsonObject
        {
            ["version"] = stored.Version,
            ["digest"] = stored.Digest,
            ["bytes"] = stored.Bytes,
            ["from"] = stored.From,
            ["lastUsedAt"] = stored.LastUsedAt,
            ["pinned"] = stored.IsPinned,
            ["inUse"] = stored.InUse,
            ["formats"] = new JsonArray([.. stored.Formats.Select(static format => new JsonObject { ["format"] = format.Format, ["bytes"] = format.Bytes })]),
            ["files"] = new JsonArray([.. stored.Files.Select(static file => new JsonObject { ["path"] = file.Path, ["sha256"] = file.Sha256, ["bytes"] = file.Bytes })]),
        },
    };
}
