using Spectre.Console;

namespace Cli.Import;

/// <summary>Draws how far an import is.</summary>
internal static class ImportProgress
{
    public static Task ShowAsync(IAnsiConsole screen, ImportOptions options, ImportReport report, Task import, CancellationToken cancellationToken) =>
        screen.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask("Looking", maxValue: 1);
                using var counting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                var total = CountAsync(options, counting.Token);
                while (!import.IsCompleted)
                {
                    task.IsIndeterminate = !total.IsCompletedSuccessfully;
                    if (total.IsCompletedSuccessfully) task.MaxValue = Math.Max(1, await total);
                    var failed = report.Failures.Count;
                    task.Description = $"{report.Stored + report.WasStored:N0} stored" + (failed == 0 ? "" : $", [red]{failed:N0} failed[/]");
                    task.Value = report.DoneBytes;
                    context.Refresh();
                    await Task.WhenAny(import, Task.Delay(100, CancellationToken.None));
                }

                await counting.CancelAsync();
                await import;
            });

    // Beside the import: the sizes of a hundred thousand files take a while to add up.
    private static Task<long> CountAsync(ImportOptions options, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            long bytes = 0;
            foreach (var file in FileScan.Find(options.Paths, static (_, _) => { }))
            {
                cancellationToken.ThrowIfCancellationRequested();
                bytes += Length(file);
            }

            return bytes;
        },
        cancellationToken);

    private static long Length(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
