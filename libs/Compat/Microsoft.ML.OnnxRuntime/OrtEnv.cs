using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>The one environment of the process; it lives until the process ends.</summary>
public sealed unsafe class OrtEnv : SafeHandle
{
    private static readonly Lock Gate = new();
    private static OrtEnv _instance;
    private OrtLoggingLevel _level;

    private OrtEnv(ref EnvironmentCreationOptions options) : base(0, ownsHandle: true)
    {
        _level = options.logLevel ?? OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING;
        nint env;
        fixed (byte* id = OrtApi.Utf8(options.logId ?? "CSharpOnnxRuntime"))
        {
            OrtApi.Check(OrtApi.CreateEnv((int)_level, id, &env));
        }
        SetHandle(env);
    }

    public static bool IsCreated => _instance is not null;

    public override bool IsInvalid => handle == 0;

    public OrtLoggingLevel EnvLogLevel
    {
        get => _level;
        set
        {
            OrtApi.Check(OrtApi.UpdateEnvWithCustomLogLevel(handle, (int)value));
            _level = value;
        }
    }

    internal nint Pointer => handle;

    public static OrtEnv Instance()
    {
        lock (Gate)
        {
            var options = new EnvironmentCreationOptions();
            return _instance ??= new OrtEnv(ref options);
        }
    }

    public static OrtEnv CreateInstanceWithOptions(ref EnvironmentCreationOptions options)
    {
        lock (Gate)
        {
            if (_instance is not null) throw new OnnxRuntimeException(1, "OrtEnv singleton instance already exists, supplied options would not have effect");
            return _instance = new OrtEnv(ref options);
        }
    }

    public string GetVersionString() => OrtApi.Version;

    public string[] GetAvailableProviders()
    {
        byte** names;
        int count;
        OrtApi.Check(OrtApi.GetAvailableProviders(&names, &count));
        try
        {
            var result = new string[count];
            for (var i = 0; i < count; i++) result[i] = OrtApi.Text(names[i]);
            return result;
        }
        finally
        {
            OrtApi.Check(OrtApi.ReleaseAvailableProviders(names, count));
        }
    }

    protected override bool ReleaseHandle()
    {
        // Sessions may outlive this object while the process ends: the environment goes with the process.
        handle = 0;
        return true;
    }
}

public struct EnvironmentCreationOptions
{
    public string logId;
    public OrtLoggingLevel? logLevel;
}
