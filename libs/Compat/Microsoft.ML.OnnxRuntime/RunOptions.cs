using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime;

public unsafe class RunOptions : SafeHandle
{
    private bool _terminate;
    private string _logId = "";
    private OrtLoggingLevel _logSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING;

    public RunOptions() : base(0, ownsHandle: true)
    {
        nint options;
        OrtApi.Check(OrtApi.CreateRunOptions(&options));
        SetHandle(options);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>True ends a run that uses these options, from any thread, with an exception; false before they are used again.</summary>
    public bool Terminate
    {
        get => _terminate;
        set
        {
            if (_terminate == value) return;
            OrtApi.Check(OrtApi.RunOptionsSetTerminate(handle, value));
            _terminate = value;
        }
    }

    public string LogId
    {
        get => _logId;
        set
        {
            fixed (byte* tag = OrtApi.Utf8(value))
            {
                OrtApi.Check(OrtApi.RunOptionsSetRunTag(handle, tag));
            }
            _logId = value;
        }
    }

    public OrtLoggingLevel LogSeverityLevel
    {
        get => _logSeverityLevel;
        set
        {
            OrtApi.Check(OrtApi.RunOptionsSetRunLogSeverityLevel(handle, (int)value));
            _logSeverityLevel = value;
        }
    }

    internal nint Pointer => handle;

    public void AddRunConfigEntry(string configKey, string configValue)
    {
        fixed (byte* key = OrtApi.Utf8(configKey), value = OrtApi.Utf8(configValue))
        {
            OrtApi.Check(OrtApi.AddRunConfigEntry(handle, key, value));
        }
    }

    protected override bool ReleaseHandle()
    {
        OrtApi.ReleaseRunOptions(handle);
        handle = 0;
        return true;
    }
}
