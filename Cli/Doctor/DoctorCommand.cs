using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cli.Servers;
using Spectre.Console;

namespace Cli.Doctor;

/// <summary><c>platform doctor ORIGIN</c>: has the server examine a PACS and remember how it is best asked.</summary>
internal static class DoctorCommand
{
    /// <summary>Some thirty requests to a PACS that may take seconds for each.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static Command Create(Terminal terminal)
    {
        var origin = new Argument<string>("origin") { Description = "The name of an origin of kind dicomweb, as the server's configuration has it." };
        var server = ServerAddress.Option();
        var json = new Option<bool>("--json") { Description = "Write everything that was found, as JSON." };
        var command = new Command("doctor", "Examines a PACS: what it can do, what is wrong, how it is best asked. The server keeps the last and uses it.") { origin, server, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var answer = await ExamineAsync(parsed.GetRequiredValue(server), parsed.GetRequiredValue(origin), cancellationToken);
            var report = answer.Deserialize(DoctorJson.Default.Examination) ?? new Examination();
            if (parsed.GetValue(json)) terminal.Output.WriteLine(answer.GetRawText());
            else Show(terminal, report);
            return report.Problems.Count == 0 ? ExitCodes.Success : ExitCodes.Failures;
        });
        return command;
    }

    private static async Task<JsonElement> ExamineAsync(ServerAddress address, string origin, CancellationToken cancellationToken)
    {
        using var server = new ServerConnection(address, connections: 1);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address.Root, $"api/origins/{Uri.EscapeDataString(origin)}/examine"));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using var response = await server.SendAsync(request, patience.Token);
            if (!response.IsSuccessStatusCode) throw await server.RefusedAsync(response, patience.Token);
            var json = await ServerConnection.ReadJsonAsync(response, patience.Token) ?? throw new CommandException("The server's answer cannot be read.", "Is it an ImageApi, and not older than this program?");
            return json.RootElement;
        }
        catch (OperationCanceledException failure) when (!cancellationToken.IsCancellationRequested)
        {
            throw server.Unreachable(new TimeoutException($"it takes longer than {Patience.TotalMinutes:0} min to examine the origin", failure));
        }
        catch (HttpRequestException failure)
        {
            throw server.Unreachable(failure);
        }
    }

    private static void Show(Terminal terminal, Examination report)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("what").AddColumn("").AddColumn("found");
        foreach (var finding in report.Findings) table.AddRow(Markup.Escape(finding.Name), finding.Result, Markup.Escape(finding.Detail));
        terminal.Results.Write(table);
        if (report.Profile is { } profile)
        {
            terminal.Output.WriteLine(profile.HasFrames ? $"Frames are asked for one by one, as {profile.FrameAccept}." : "Frames are found in whole instances.");
            if (profile.Parallelism is { } parallelism) terminal.Output.WriteLine($"More than {parallelism} requests at once bring nothing.");
        }
        foreach (var problem in report.Problems) terminal.Output.WriteLine("- " + problem);
        if (report.Problems.Count == 0) terminal.Output.WriteLine($"Nothing is wrong with {report.Origin}.");
    }
}

/// <summary>The answer to <c>POST /api/origins/{name}/examine</c>, as far as it is shown.</summary>
internal sealed record Examination
{
    public string Origin { get; init; } = "";
    public IReadOnlyList<ExaminationFinding> Findings { get; init; } = [];
    public IReadOnlyList<string> Problems { get; init; } = [];
    public ExaminationProfile? Profile { get; init; }
}

internal sealed record ExaminationFinding(string Name, string Result, string Detail);

internal sealed record ExaminationProfile(string FrameAccept, bool HasFrames, int? Parallelism);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Examination))]
internal sealed partial class DoctorJson : JsonSerializerContext;
