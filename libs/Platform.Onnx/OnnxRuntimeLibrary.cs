using Microsoft.ML.OnnxRuntime;

namespace Platform.Onnx;

/// <summary>The native runtime of this process: whether it is there, and if not, why. Asking never throws.</summary>
public static class OnnxRuntimeLibrary
{
    private static readonly Lazy<(string? Version, string[] Providers, string? Missing)> State = new(Open);

    /// <summary>True where models can be loaded.</summary>
    public static bool IsAvailable => State.Value.Missing is null;

    /// <summary>Why no model can be loaded, for whoever installs the program; null where they can.</summary>
    public static string? WhyUnavailable => State.Value.Missing;

    /// <summary>The runtime's version, such as <c>1.30.0</c>; null where there is none.</summary>
    public static string? Version => State.Value.Version;

    /// <summary>The execution providers that the library was built with. That one is here does not say that its device is.</summary>
    public static IReadOnlyList<string> Providers => State.Value.Providers;

    /// <exception cref="OnnxUnavailableException">There is no runtime.</exception>
    internal static void Require()
    {
        if (WhyUnavailable is { } missing) throw new OnnxUnavailableException(missing);
    }

    private static (string?, string[], string?) Open()
    {
        try
        {
            // Whatever goes wrong is thrown to whoever asked: nothing is written to the process's standard error.
            var options = new EnvironmentCreationOptions { logId = "platform", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            var environment = OrtEnv.IsCreated ? OrtEnv.Instance() : OrtEnv.CreateInstanceWithOptions(ref options);
            return (environment.GetVersionString(), environment.GetAvailableProviders(), null);
        }
        catch (Exception exception) when (exception is TypeInitializationException or DllNotFoundException or BadImageFormatException or EntryPointNotFoundException or OnnxRuntimeException)
        {
            return (null, [], (exception as TypeInitializationException)?.InnerException?.Message ?? exception.Message);
        }
    }
}
