using Cli.Cache;
using Platform.Models;
using Spectre.Console;

namespace Cli.Models;

/// <summary>Draws a download where someone watches; elsewhere tells each stage in a line.</summary>
internal static class DownloadProgress
{
    public static async Task ShowAsync(Terminal terminal, ModelManager models, string name, CancellationToken cancellationToken)
    {
        if (!terminal.IsInteractive)
        {
            (ModelStage, string?) last = default;
            await models.DownloadAsync(name, new Told(progress =>
            {
                if (last == (progress.Stage, progress.File)) return;
                last = (progress.Stage, progress.File);
                terminal.Error.WriteLine(Describe(progress));
            }), cancellationToken);
            return;
        }
        await terminal.Screen.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask(Markup.Escape(name), maxValue: 1);
                await models.DownloadAsync(name, new Told(progress =>
                {
                    task.Description = Markup.Escape(Describe(progress));
                    task.IsIndeterminate = progress.BytesTotal is null;
                    task.MaxValue = Math.Max(1, progress.BytesTotal ?? 1);
                    task.Value = progress.BytesDone;
                }), cancellationToken);
            });
    }

    private static string Describe(ModelProgress progress) => progress.Stage switch
    {
        ModelStage.Waiting => $"{progress.Model}: another process fetches {progress.File}",
        ModelStage.Checking => $"{progress.Model}: looks what is here of {progress.File}",
        ModelStage.Fetching => $"{progress.Model}: fetches {progress.File}",
        ModelStage.Installing => $"{progress.Model}: whole and verified",
        _ => $"{progress.Model}: in the store, {Figures.Bytes(progress.BytesDone)}, {Figures.Bytes(progress.Fetched)} of it fetched now",
    };

    /// <summary>Reports at once, in the order in which things happen.</summary>
    private sealed class Told(Action<ModelProgress> tell) : IProgress<ModelProgress>
    {
        public void Report(ModelProgress value) => tell(value);
    }
}
