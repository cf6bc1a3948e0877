using System.Text.Json;
using Spectre.Console;

namespace Cli.Import;

/// <summary>What an import came to, for people and for programs.</summary>
internal static class ImportSummary
{
    private const int ListedFailures = 20;

    public static void Write(Terminal terminal, ImportReport report, TimeSpan elapsed)
    {
        var screen = terminal.Screen;
        var failures = report.Failures;
        foreach (var (path, reason) in failures.Take(ListedFailures)) screen.MarkupLineInterpolated($"[red]{path}[/]: {reason}");
        if (failures.Count > ListedFailures) screen.WriteLine($"... and {failures.Count - ListedFailures:N0} more; --json lists them all.");

        var output = terminal.Output;
        var seconds = Math.Max(elapsed.TotalSeconds, 0.001);
        output.WriteLine(report.Stored == 0 ? "Nothing new was stored."
            : $"Stored {Count(report.Stored, "instance")}, {Bytes(report.StoredBytes)}, in {elapsed.TotalSeconds:0.0} s ({report.Stored / seconds:N0} a second).");
        if (report.WasStored > 0) output.WriteLine($"On the server already: {Count(report.WasStored, "instance")}.");
        if (report.SentBefore > 0) output.WriteLine($"Sent before and left out: {Count(report.SentBefore, "file")}.");
        if (report.NotDicom > 0) output.WriteLine($"No DICOM instance: {Count(report.NotDicom, "file")}.");
        if (failures.Count > 0) output.WriteLine($"Failed: {Count(failures.Count, "file")}.");
    }

    public static void WriteJson(TextWriter output, ImportOptions options, ImportReport report, TimeSpan elapsed, CommandException? broken)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("server", options.Server.ToString());
            json.WriteBoolean("complete", broken is null);
            if (broken is not null) json.WriteString("error", broken.Message);
            json.WriteNumber("seen", report.Seen);
            json.WriteNumber("stored", report.Stored);
            json.WriteNumber("storedBytes", report.StoredBytes);
            json.WriteNumber("wasStored", report.WasStored);
            json.WriteNumber("sentBefore", report.SentBefore);
            json.WriteNumber("notDicom", report.NotDicom);
            json.WriteNumber("seconds", Math.Round(elapsed.TotalSeconds, 3));
            json.WriteStartArray("failures");
            foreach (var (path, reason) in report.Failures)
            {
                json.WriteStartObject();
                json.WriteString("path", path);
                json.WriteString("reason", reason);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    internal static string Bytes(long bytes) => bytes switch
    {
        < 1000 => $"{bytes} B",
        < 1_000_000 => $"{bytes / 1e3:0.0} kB",
        < 1_000_000_000 => $"{bytes / 1e6:0.0} MB",
        _ => $"{bytes / 1e9:0.00} GB"
    };

    private static string Count(long count, string noun) => count == 1 ? $"1 {noun}" : $"{count:N0} {noun}s";
}
