using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>A loaded model. <c>Run</c> may be called from several threads at once; disposing waits for nobody, but the native session lives until the last run has ended.</summary>
public unsafe class InferenceSession : IDisposable
{
    private readonly SessionHandle _handle;
    private readonly Dictionary<string, NodeMetadata> _inputs = [], _outputs = [];
    private readonly List<string> _inputNames = [], _outputNames = [];

    public InferenceSession(string modelPath) : this(modelPath, null)
    {
    }

    public InferenceSession(string modelPath, SessionOptions options)
    {
        using var own = options is null ? new SessionOptions() : null;
        nint session;
        fixed (byte* path = OrtApi.NativePath(modelPath))
        {
            OrtApi.Check(OrtApi.CreateSession(OrtEnv.Instance().Pointer, path, (options ?? own).Pointer, &session));
        }
        GC.KeepAlive(options);
        _handle = new SessionHandle(session);
        Describe();
    }

    public InferenceSession(byte[] model) : this(model, null)
    {
    }

    public InferenceSession(byte[] model, SessionOptions options)
    {
        using var own = options is null ? new SessionOptions() : null;
        nint session;
        fixed (byte* bytes = model)
        {
            OrtApi.Check(OrtApi.CreateSessionFromArray(OrtEnv.Instance().Pointer, bytes, (nuint)model.Length, (options ?? own).Pointer, &session));
        }
        GC.KeepAlive(options);
        _handle = new SessionHandle(session);
        Describe();
    }

    public IReadOnlyDictionary<string, NodeMetadata> InputMetadata => _inputs;

    public IReadOnlyList<string> InputNames => _inputNames;

    public IReadOnlyDictionary<string, NodeMetadata> OutputMetadata => _outputs;

    public IReadOnlyList<string> OutputNames => _outputNames;

    public ModelMetadata ModelMetadata
    {
        get
        {
            using var held = new Held(_handle);
            return field ??= new ModelMetadata(held.Pointer);
        }
    }

    public IDisposableReadOnlyCollection<OrtValue> Run(RunOptions runOptions, IReadOnlyCollection<string> inputNames, IReadOnlyCollection<OrtValue> inputValues, IReadOnlyCollection<string> outputNames)
    {
        var values = new nint[outputNames.Count];
        Run(runOptions, inputNames, inputValues, outputNames, values);
        var result = new DisposableList<OrtValue>(values.Length);
        foreach (var value in values) result.Add(new OrtValue(value));
        return result;
    }

    public void Run(RunOptions runOptions, IReadOnlyCollection<string> inputNames, IReadOnlyCollection<OrtValue> inputValues, IReadOnlyCollection<string> outputNames, IReadOnlyCollection<OrtValue> outputValues)
    {
        if (outputNames.Count != outputValues.Count) throw new ArgumentException($"Length of {nameof(outputNames)} ({outputNames.Count}) must match that of {nameof(outputValues)} ({outputValues.Count}).");
        Run(runOptions, inputNames, inputValues, outputNames, [.. outputValues.Select(static value => value.Pointer)]);
        GC.KeepAlive(outputValues);
    }

    public OrtIoBinding CreateIoBinding() => new(_handle);

    public void RunWithBinding(RunOptions runOptions, OrtIoBinding ioBinding)
    {
        using var held = new Held(_handle);
        OrtApi.Check(OrtApi.RunWithBinding(held.Pointer, runOptions.Pointer, ioBinding.Pointer));
        GC.KeepAlive(runOptions);
        GC.KeepAlive(ioBinding);
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => _handle.Dispose();

    private void Run(RunOptions runOptions, IReadOnlyCollection<string> inputNames, IReadOnlyCollection<OrtValue> inputValues, IReadOnlyCollection<string> outputNames, nint[] outputs)
    {
        if (inputNames.Count != inputValues.Count) throw new ArgumentException($"Length of {nameof(inputNames)} ({inputNames.Count}) must match that of {nameof(inputValues)} ({inputValues.Count}).");
        var inputs = inputValues.Select(static value => value.Pointer).ToArray();
        var names = inputNames.Concat(outputNames).Select(Marshal.StringToCoTaskMemUTF8).ToArray();
        using var held = new Held(_handle);
        try
        {
            fixed (nint* allNames = names, values = inputs, results = outputs)
            {
                OrtApi.Check(OrtApi.Run(held.Pointer, runOptions?.Pointer ?? 0, (byte**)allNames, values, (nuint)inputs.Length, (byte**)(allNames + inputs.Length), (nuint)outputs.Length, results));
            }
            GC.KeepAlive(inputValues);
            GC.KeepAlive(runOptions);
        }
        finally
        {
            Array.ForEach(names, Marshal.FreeCoTaskMem);
        }
    }

    private void Describe()
    {
        try
        {
            var session = _handle.DangerousGetHandle();
            var allocator = OrtAllocator.DefaultInstance.Pointer;
            nuint count;
            byte* name;
            nint info;
            OrtApi.Check(OrtApi.SessionGetInputCount(session, &count));
            for (nuint i = 0; i < count; i++)
            {
                OrtApi.Check(OrtApi.SessionGetInputName(session, i, allocator, &name));
                _inputNames.Add(OrtApi.TakeText(name));
                OrtApi.Check(OrtApi.SessionGetInputTypeInfo(session, i, &info));
                _inputs[_inputNames[^1]] = new NodeMetadata(info);
            }
            OrtApi.Check(OrtApi.SessionGetOutputCount(session, &count));
            for (nuint i = 0; i < count; i++)
            {
                OrtApi.Check(OrtApi.SessionGetOutputName(session, i, allocator, &name));
                _outputNames.Add(OrtApi.TakeText(name));
                OrtApi.Check(OrtApi.SessionGetOutputTypeInfo(session, i, &info));
                _outputs[_outputNames[^1]] = new NodeMetadata(info);
            }
        }
        catch
        {
            _handle.Dispose();
            throw;
        }
    }

    /// <summary>Keeps the native session from being released while it is used.</summary>
    private readonly ref struct Held
    {
        private readonly SafeHandle _handle;

        public Held(SafeHandle handle)
        {
            var held = false;
            handle.DangerousAddRef(ref held);
            _handle = handle;
        }

        public nint Pointer => _handle.DangerousGetHandle();

        public void Dispose() => _handle.DangerousRelease();
    }

    private sealed class SessionHandle : SafeHandle
    {
        public SessionHandle(nint session) : base(0, ownsHandle: true) => SetHandle(session);

        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            OrtApi.ReleaseSession(handle);
            return true;
        }
    }
}
