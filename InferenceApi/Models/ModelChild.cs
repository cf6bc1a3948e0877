using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using InferenceApi.Sessions;
using Platform.Models;
using Platform.Onnx;

namespace InferenceApi.Models;

/// <summary>The child process of <see cref="ChildOptimiser"/>: opens one model, runs it once, perhaps writes its optimised form, tells what it found, ends.</summary>
internal static partial class ModelChild
{
    public const string Argument = "--model-child", Prove = "prove", Optimise = "optimise";

    private const int Rounds = 3, ResourceData = 2;   // RLIMIT_DATA

    /// <summary>Arguments: prove PATH DEVICE MEMORY, or optimise PATH TO DEVICE MEMORY. The manifest comes on the standard input.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        Limit(long.Parse(arguments[^1], CultureInfo.InvariantCulture));
        using var input = new MemoryStream();
        await Console.OpenStandardInput().CopyToAsync(input);
        var answer = new Dictionary<string, object>();
        try
        {
            var manifest = ManifestReader.Read(input.ToArray(), "manifest", folder: null);
            answer["worth"] = Work(arguments, manifest);
        }
        catch (Exception failure) when (failure is ModelException or InvalidModelException or OnnxRunException or InvalidTensorException or DeviceRefusedException or OnnxUnavailableException or OutOfMemoryException)
        {
            answer["refused"] = failure.Message;
        }
        Console.WriteLine();
        Console.WriteLine(JsonSerializer.Serialize(answer));
        return 0;
    }

    private static bool Work(string[] arguments, ModelManifest manifest)
    {
        var path = arguments[1];
        var device = arguments[^2];
        using (var session = OnnxSession.Load(path, new OnnxSessionOptions { Device = device, OptimizedModelPath = arguments[0] == Optimise ? arguments[2] : null }))
        {
            var wrong = manifest.Inputs.Select(static value => value.Name).Except(session.Inputs.Select(static value => value.Name))
                .Concat(session.Inputs.Select(static value => value.Name).Except(manifest.Inputs.Select(static value => value.Name)))
                .Concat(manifest.Outputs.Select(static value => value.Name).Except(session.Outputs.Select(static value => value.Name))).FirstOrDefault();
            if (wrong is not null) throw new ModelException(ModelFault.Invalid, $"manifest and graph do not agree on '{wrong}'.");
            RunOnce(session, manifest);
        }
        if (arguments[0] == Prove) return false;
        // Kept only when it is the faster one to load; the first of each finds cold files.
        var (plain, optimised) = (TimeSpan.MaxValue, TimeSpan.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            plain = Faster(plain, Load(path, device, optimize: true));
            optimised = Faster(optimised, Load(arguments[2], device, optimize: false));
        }
        return optimised < plain * 0.95;

        static TimeSpan Faster(TimeSpan one, TimeSpan other) => one < other ? one : other;
    }

    private static TimeSpan Load(string path, string device, bool optimize)
    {
        var since = Stopwatch.GetTimestamp();
        OnnxSession.Load(path, new OnnxSessionOptions { Device = device, Optimize = optimize }).Dispose();
        return Stopwatch.GetElapsedTime(since);
    }

    private static void RunOnce(OnnxSession session, ModelManifest manifest)
    {
        var shapes = WarmShapes.Of(session, manifest);
        var inputs = new Tensor[shapes.Length];
        var outputs = new Tensor?[session.Outputs.Length];
        try
        {
            for (var i = 0; i < inputs.Length; i++)
            {
                inputs[i] = Tensor.Rent(session.Inputs[i].Type, shapes[i]);
                inputs[i].Bytes.Clear();
            }
            session.Run(inputs, outputs, CancellationToken.None);
        }
        catch (Exception failure) when (failure is OnnxRunException or InvalidTensorException && session.Inputs.Any(static input => input.Shape.Any(static dimension => dimension.Size is null)))
        {
            // The sizes were a guess: others may do.
        }
        finally
        {
            foreach (var tensor in inputs.Concat(outputs)) tensor?.Dispose();
        }
    }

    /// <summary>From here on no more memory than this. Elsewhere than on Linux the timeout alone holds it back.</summary>
    private static void Limit(long bytes)
    {
        if (!OperatingSystem.IsLinux()) return;
        Span<ulong> limit = [(ulong)bytes, (ulong)bytes];
        _ = SetResourceLimit(ResourceData, limit);
    }

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetResourceLimit(int resource, ReadOnlySpan<ulong> limit);
}
