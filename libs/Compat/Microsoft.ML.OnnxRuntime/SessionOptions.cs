using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime;

public unsafe class SessionOptions : SafeHandle
{
    private bool _memoryPattern = true, _cpuMemArena = true;
    private int _intraOpNumThreads, _interOpNumThreads;
    private string _optimizedModelFilePath = "", _logId = "";
    private OrtLoggingLevel _logSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING;
    private GraphOptimizationLevel _graphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL;
    private ExecutionMode _executionMode = ExecutionMode.ORT_SEQUENTIAL;

    public SessionOptions() : base(0, ownsHandle: true)
    {
        nint options;
        OrtApi.Check(OrtApi.CreateSessionOptions(&options));
        SetHandle(options);
    }

    public override bool IsInvalid => handle == 0;

    public bool EnableMemoryPattern
    {
        get => _memoryPattern;
        set
        {
            OrtApi.Check(OrtApi.EnableMemPattern(handle, value));
            _memoryPattern = value;
        }
    }

    public bool EnableCpuMemArena
    {
        get => _cpuMemArena;
        set
        {
            OrtApi.Check(OrtApi.EnableCpuMemArena(handle, value));
            _cpuMemArena = value;
        }
    }

    public string OptimizedModelFilePath
    {
        get => _optimizedModelFilePath;
        set
        {
            fixed (byte* path = OrtApi.NativePath(value))
            {
                OrtApi.Check(OrtApi.SetOptimizedModelFilePath(handle, path));
            }
            _optimizedModelFilePath = value;
        }
    }

    public string LogId
    {
        get => _logId;
        set
        {
            fixed (byte* id = OrtApi.Utf8(value))
            {
                OrtApi.Check(OrtApi.SetSessionLogId(handle, id));
            }
            _logId = value;
        }
    }

    public OrtLoggingLevel LogSeverityLevel
    {
        get => _logSeverityLevel;
        set
        {
            OrtApi.Check(OrtApi.SetSessionLogSeverityLevel(handle, (int)value));
            _logSeverityLevel = value;
        }
    }

    public int IntraOpNumThreads
    {
        get => _intraOpNumThreads;
        set
        {
            OrtApi.Check(OrtApi.SetIntraOpNumThreads(handle, value));
            _intraOpNumThreads = value;
        }
    }

    public int InterOpNumThreads
    {
        get => _interOpNumThreads;
        set
        {
            OrtApi.Check(OrtApi.SetInterOpNumThreads(handle, value));
            _interOpNumThreads = value;
        }
    }

    public GraphOptimizationLevel GraphOptimizationLevel
    {
        get => _graphOptimizationLevel;
        set
        {
            OrtApi.Check(OrtApi.SetSessionGraphOptimizationLevel(handle, (int)value));
            _graphOptimizationLevel = value;
        }
    }

    public ExecutionMode ExecutionMode
    {
        get => _executionMode;
        set
        {
            OrtApi.Check(OrtApi.SetSessionExecutionMode(handle, (int)value));
            _executionMode = value;
        }
    }

    internal nint Pointer => handle;

    public void AddSessionConfigEntry(string configKey, string configValue)
    {
        fixed (byte* key = OrtApi.Utf8(configKey), value = OrtApi.Utf8(configValue))
        {
            OrtApi.Check(OrtApi.AddSessionConfigEntry(handle, key, value));
        }
    }

    public void AddFreeDimensionOverrideByName(string dimName, long dimValue)
    {
        fixed (byte* name = OrtApi.Utf8(dimName))
        {
            OrtApi.Check(OrtApi.AddFreeDimensionOverrideByName(handle, name, dimValue));
        }
    }

    public void AppendExecutionProvider(string providerName, Dictionary<string, string> providerOptions = null)
    {
        using var options = new NativeStrings(providerOptions ?? []);
        fixed (byte* name = OrtApi.Utf8(providerName))
        {
            OrtApi.Check(OrtApi.AppendExecutionProvider(handle, name, options.Keys, options.Values, (nuint)(providerOptions?.Count ?? 0)));
        }
    }

    public void AppendExecutionProvider_CUDA(OrtCUDAProviderOptions cudaProviderOptions)
    {
        OrtApi.Check(OrtApi.AppendExecutionProviderCuda(handle, cudaProviderOptions.Pointer));
        GC.KeepAlive(cudaProviderOptions);
    }

    protected override bool ReleaseHandle()
    {
        OrtApi.ReleaseSessionOptions(handle);
        handle = 0;
        return true;
    }
}
