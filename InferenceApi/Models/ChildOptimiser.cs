using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text.Json;
using InferenceApi.Sessions;
using Microsoft.Extensions.Options;
using Platform.Models;
using Platform.Onnx;

namespace InferenceApi.Models;

/// <summary>
/// Has models opened in a child process: the runtime that parses them is native, and a file from outside must not take this process with it. The child has a bound on its memory and its time, and
/// tells one line of JSON.
/// </summary>
internal sealed class ChildOptimiser(IOptions<ModelsOptions> options, IOptions<SessionsOptions> sessions) : IModelOptimiser
{
    private const int MaxAnswerCharacters = 64 << 10;

    /// <summary>What the runtime writes holds for this runtime, device and kind of processor.</summary>
    public string Key => string.Create(CultureInfo.InvariantCulture, $"onnxruntime {OnnxRuntimeLibrary.Version} {sessions.Value.Device} {RuntimeInformation.ProcessArchitecture} {(Avx512F.IsSupported ? "avx512" : Avx2.IsSupported ? "avx2" : "base")}");

    public async Task ProveAsync(ModelManifest manifest, string path, CancellationToken cancellationToken)
    {
        if (!OnnxRuntimeLibrary.IsAvailable) return;   // nothing would open it here either
        _ = await RunAsync(manifest, [ModelChild.Prove, path], cancellationToken);
    }

    public async Task<string?> OptimiseAsync(StoredModel model, string to, CancellationToken cancellationToken)
    {
        if (!OnnxRuntimeLibrary.IsAvailable || model.Path is null) return null;
        var made = to + ".onnx";
        return await RunAsync(model.Manifest, [ModelChild.Optimise, model.Path, made], cancellationToken) && File.Exists(made) ? made : null;
    }

    /// <summary>Whether the child found it worth it.</summary>
    private async Task<bool> RunAsync(ModelManifest manifest, string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        var program = typeof(ChildOptimiser).Assembly.Location;
        // Started as `InferenceApi` it starts itself again, else the runtime with this assembly.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "InferenceApi") start.FileName = Environment.ProcessPath!;
        else
        {
            start.FileName = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
            start.ArgumentList.Add("exec");
            start.ArgumentList.Add(program);
        }
        foreach (var argument in (string[])[ModelChild.Argument, .. arguments, sessions.Value.Device, options.Value.ProveMemoryBytes.ToString(CultureInfo.InvariantCulture)]) start.ArgumentList.Add(argument);
        // Passwords of this process are nothing to a file from outside.
        foreach (var name in start.Environment.Keys.Where(static name => !IsHarmless(name)).ToArray()) start.Environment.Remove(name);
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x40000000";
        using var child = Process.Start(start) ?? throw new ModelException(ModelFault.Busy, "The process that opens models cannot be started.");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(options.Value.ProveTimeout);
        try
        {
            var error = DrainAsync(child.StandardError, patience.Token);
            await child.StandardInput.BaseStream.WriteAsync(manifest.Json, patience.Token);
            child.StandardInput.Close();
            var answer = await DrainAsync(child.StandardOutput, patience.Token);
            await child.WaitForExitAsync(patience.Token);
            await error;
            if (child.ExitCode != 0 || answer.LastIndexOf('{') is var begin && begin < 0)
                throw new ModelException(ModelFault.Invalid, $"{manifest.Name} was refused: the process that opened it ended with {child.ExitCode}, of too little memory or of a fault in the model.");
            using var json = JsonDocument.Parse(answer[begin..]);
            if (json.RootElement.TryGetProperty("refused", out var refused)) throw new ModelException(ModelFault.Invalid, $"{manifest.Name} was refused: {refused.GetString()}");
            return json.RootElement.GetProperty("worth").GetBoolean();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ModelException(ModelFault.Invalid, $"{manifest.Name} was refused: opening and running it once takes longer than {options.Value.ProveTimeout.TotalSeconds:0} s.");
        }
        catch (Exception failure) when (failure is JsonException or IOException or KeyNotFoundException)
        {
            throw new ModelException(ModelFault.Invalid, $"{manifest.Name} was refused: the process that opened it died of it.", failure);
        }
        finally
        {
            if (!child.HasExited) child.Kill();
        }
    }

    private static bool IsHarmless(string name) => name is "PATH" or "HOME" or "TMPDIR" or "TEMP" or "TMP" or "SystemRoot" || name.StartsWith("DOTNET_", StringComparison.Ordinal) || name.StartsWith("LD_", StringComparison.Ordinal) || name.StartsWith("VK_", StringComparison.Ordinal);

    /// <summary>Reads all and keeps the end of it.</summary>
    private static async Task<string> DrainAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var kept = "";
        var buffer = new char[4096];
        int read;
        while ((read = await reader.ReadAsync(buffer, cancellationToken)) > 0)
        {
            kept += new string(buffer, 0, read);
            if (kept.Length > MaxAnswerCharacters) kept = kept[^MaxAnswerCharacters..];
        }
        return kept;
    }
}
