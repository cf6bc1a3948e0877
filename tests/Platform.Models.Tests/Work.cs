using System.Globalization;

namespace Platform.Models.Tests;

/// <summary>What a child process does.</summary>
internal static class Work
{
    /// <summary>Tells "at BYTES" as they arrive and "done FETCHED" at the end.</summary>
    public static async Task DownloadAsync(string store, string manifests, string name)
    {
        var fetched = 0L;
        await Managers.Make(store, manifests).DownloadAsync(name, new Direct<ModelProgress>(progress =>
        {
            fetched = progress.Fetched;
            if (progress.Stage == ModelStage.Fetching) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"at {progress.BytesDone}"));
        }), default);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"done {fetched}"));
    }

    public static async Task ImportAsync(string store, string package)
    {
        Console.WriteLine("begun");
        await Managers.Make(store, store).ImportAsync(package, null, null, null, replace: true, new Direct<ModelProgress>(_ => Console.WriteLine("at")), default);
        Console.WriteLine("done");
    }

    /// <summary>Holds a model until it is killed.</summary>
    public static async Task HoldAsync(string store, string name)
    {
        using var model = await new ModelStore(new ModelStoreOptions { Path = store }).TryGetAsync(name, default);
        Console.WriteLine(model is null ? "absent" : "held");
        await Task.Delay(Timeout.Infinite);
    }
}

/// <summary>Reports at once, on the thread that does the work.</summary>
internal sealed class Direct<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
