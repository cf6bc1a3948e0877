using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>
/// The native function table (OrtApi). Its order is append-only, so a slot means the same in every later library. A function that can fail gives
/// an OrtStatus, which <see cref="Check"/> turns into an exception and frees.
/// </summary>
internal static unsafe class OrtApi
{
    /// <summary>The version of the table that is asked for. A library gives no table, and complains on stderr, for one above its own.</summary>
    private const uint ApiVersion = 22;

    private const string Library = "onnxruntime";

    /// <summary>A file, or the folder of one, that is used instead of the library beside the application: a CUDA build, for instance.</summary>
    private const string LibraryVariable = "ONNXRUNTIME_LIBRARY";

    private static readonly nint* Table = Load();

    public static string Version { get; private set; }

    /// <summary>Throws what a status says and frees it; success is no status at all.</summary>
    public static void Check(nint status)
    {
        if (status != 0) Throw(status);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw(nint status)
    {
        var code = ((delegate* unmanaged<nint, int>)Table[1])(status);
        var message = Text(((delegate* unmanaged<nint, byte*>)Table[2])(status));
        ((delegate* unmanaged<nint, void>)Table[93])(status);
        throw new OnnxRuntimeException(code, message);
    }

    public static nint CreateEnv(int level, byte* logId, nint* env) => ((delegate* unmanaged<int, byte*, nint*, nint>)Table[3])(level, logId, env);
    public static nint UpdateEnvWithCustomLogLevel(nint env, int level) => ((delegate* unmanaged<nint, int, nint>)Table[226])(env, level);
    public static void ReleaseEnv(nint env) => ((delegate* unmanaged<nint, void>)Table[92])(env);
    public static nint GetAvailableProviders(byte*** names, int* count) => ((delegate* unmanaged<byte***, int*, nint>)Table[125])(names, count);
    public static nint ReleaseAvailableProviders(byte** names, int count) => ((delegate* unmanaged<byte**, int, nint>)Table[126])(names, count);

    public static nint CreateSession(nint env, byte* path, nint options, nint* session) => ((delegate* unmanaged<nint, byte*, nint, nint*, nint>)Table[7])(env, path, options, session);
    public static nint CreateSessionFromArray(nint env, byte* model, nuint length, nint options, nint* session) => ((delegate* unmanaged<nint, byte*, nuint, nint, nint*, nint>)Table[8])(env, model, length, options, session);
    public static nint Run(nint session, nint runOptions, byte** inputNames, nint* inputs, nuint inputCount, byte** outputNames, nuint outputCount, nint* outputs) =>
        ((delegate* unmanaged<nint, nint, byte**, nint*, nuint, byte**, nuint, nint*, nint>)Table[9])(session, runOptions, inputNames, inputs, inputCount, outputNames, outputCount, outputs);
    public static nint RunWithBinding(nint session, nint runOptions, nint binding) => ((delegate* unmanaged<nint, nint, nint, nint>)Table[133])(session, runOptions, binding);
    public static nint SessionGetInputCount(nint session, nuint* count) => ((delegate* unmanaged<nint, nuint*, nint>)Table[30])(session, count);
    public static nint SessionGetOutputCount(nint session, nuint* count) => ((delegate* unmanaged<nint, nuint*, nint>)Table[31])(session, count);
    public static nint SessionGetInputTypeInfo(nint session, nuint index, nint* info) => ((delegate* unmanaged<nint, nuint, nint*, nint>)Table[33])(session, index, info);
    public static nint SessionGetOutputTypeInfo(nint session, nuint index, nint* info) => ((delegate* unmanaged<nint, nuint, nint*, nint>)Table[34])(session, index, info);
    public static nint SessionGetInputName(nint session, nuint index, nint allocator, byte** name) => ((delegate* unmanaged<nint, nuint, nint, byte**, nint>)Table[36])(session, index, allocator, name);
    public static nint SessionGetOutputName(nint session, nuint index, nint allocator, byte** name) => ((delegate* unmanaged<nint, nuint, nint, byte**, nint>)Table[37])(session, index, allocator, name);
    public static nint SessionGetModelMetadata(nint session, nint* metadata) => ((delegate* unmanaged<nint, nint*, nint>)Table[111])(session, metadata);
    public static void ReleaseSession(nint session) => ((delegate* unmanaged<nint, void>)Table[95])(session);

    public static nint CreateSessionOptions(nint* options) => ((delegate* unmanaged<nint*, nint>)Table[10])(options);
    public static nint SetOptimizedModelFilePath(nint options, byte* path) => ((delegate* unmanaged<nint, byte*, nint>)Table[11])(options, path);
    public static nint SetSessionExecutionMode(nint options, int mode) => ((delegate* unmanaged<nint, int, nint>)Table[13])(options, mode);
    public static nint EnableMemPattern(nint options, bool enable) => ((delegate* unmanaged<nint, nint>)Table[enable ? 16 : 17])(options);
    public static nint EnableCpuMemArena(nint options, bool enable) => ((delegate* unmanaged<nint, nint>)Table[enable ? 18 : 19])(options);
    public static nint SetSessionLogId(nint options, byte* id) => ((delegate* unmanaged<nint, byte*, nint>)Table[20])(options, id);
    public static nint SetSessionLogSeverityLevel(nint options, int level) => ((delegate* unmanaged<nint, int, nint>)Table[22])(options, level);
    public static nint SetSessionGraphOptimizationLevel(nint options, int level) => ((delegate* unmanaged<nint, int, nint>)Table[23])(options, level);
    public static nint SetIntraOpNumThreads(nint options, int threads) => ((delegate* unmanaged<nint, int, nint>)Table[24])(options, threads);
    public static nint SetInterOpNumThreads(nint options, int threads) => ((delegate* unmanaged<nint, int, nint>)Table[25])(options, threads);
    public static nint AddFreeDimensionOverrideByName(nint options, byte* name, long value) => ((delegate* unmanaged<nint, byte*, long, nint>)Table[124])(options, name, value);
    public static nint AddSessionConfigEntry(nint options, byte* key, byte* value) => ((delegate* unmanaged<nint, byte*, byte*, nint>)Table[130])(options, key, value);
    public static nint AppendExecutionProvider(nint options, byte* name, byte** keys, byte** values, nuint count) => ((delegate* unmanaged<nint, byte*, byte**, byte**, nuint, nint>)Table[216])(options, name, keys, values, count);
    public static nint AppendExecutionProviderCuda(nint options, nint cuda) => ((delegate* unmanaged<nint, nint, nint>)Table[204])(options, cuda);
    public static nint CreateCudaProviderOptions(nint* cuda) => ((delegate* unmanaged<nint*, nint>)Table[205])(cuda);
    public static nint UpdateCudaProviderOptions(nint cuda, byte** keys, byte** values, nuint count) => ((delegate* unmanaged<nint, byte**, byte**, nuint, nint>)Table[206])(cuda, keys, values, count);
    public static nint GetCudaProviderOptionsAsString(nint cuda, nint allocator, byte** text) => ((delegate* unmanaged<nint, nint, byte**, nint>)Table[207])(cuda, allocator, text);
    public static void ReleaseCudaProviderOptions(nint cuda) => ((delegate* unmanaged<nint, void>)Table[208])(cuda);
    public static void ReleaseSessionOptions(nint options) => ((delegate* unmanaged<nint, void>)Table[100])(options);

    public static nint CreateRunOptions(nint* options) => ((delegate* unmanaged<nint*, nint>)Table[39])(options);
    public static nint RunOptionsSetRunLogSeverityLevel(nint options, int level) => ((delegate* unmanaged<nint, int, nint>)Table[41])(options, level);
    public static nint RunOptionsSetRunTag(nint options, byte* tag) => ((delegate* unmanaged<nint, byte*, nint>)Table[42])(options, tag);
    public static nint RunOptionsSetTerminate(nint options, bool terminate) => ((delegate* unmanaged<nint, nint>)Table[terminate ? 46 : 47])(options);
    public static nint AddRunConfigEntry(nint options, byte* key, byte* value) => ((delegate* unmanaged<nint, byte*, byte*, nint>)Table[165])(options, key, value);
    public static void ReleaseRunOptions(nint options) => ((delegate* unmanaged<nint, void>)Table[97])(options);

    public static nint CreateTensorAsOrtValue(nint allocator, long* shape, nuint rank, int type, nint* value) => ((delegate* unmanaged<nint, long*, nuint, int, nint*, nint>)Table[48])(allocator, shape, rank, type, value);
    public static nint CreateTensorWithDataAsOrtValue(nint memory, void* data, nuint length, long* shape, nuint rank, int type, nint* value) =>
        ((delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)Table[49])(memory, data, length, shape, rank, type, value);
    public static nint GetTensorMutableData(nint value, void** data) => ((delegate* unmanaged<nint, void**, nint>)Table[51])(value, data);
    public static nint GetTensorTypeAndShape(nint value, nint* info) => ((delegate* unmanaged<nint, nint*, nint>)Table[65])(value, info);
    public static nint GetValueType(nint value, int* type) => ((delegate* unmanaged<nint, int*, nint>)Table[67])(value, type);
    public static void ReleaseValue(nint value) => ((delegate* unmanaged<nint, void>)Table[96])(value);

    public static nint CastTypeInfoToTensorInfo(nint info, nint* tensor) => ((delegate* unmanaged<nint, nint*, nint>)Table[55])(info, tensor);
    public static nint GetOnnxTypeFromTypeInfo(nint info, int* type) => ((delegate* unmanaged<nint, int*, nint>)Table[56])(info, type);
    public static nint GetTensorElementType(nint info, int* type) => ((delegate* unmanaged<nint, int*, nint>)Table[60])(info, type);
    public static nint GetDimensionsCount(nint info, nuint* count) => ((delegate* unmanaged<nint, nuint*, nint>)Table[61])(info, count);
    public static nint GetDimensions(nint info, long* values, nuint count) => ((delegate* unmanaged<nint, long*, nuint, nint>)Table[62])(info, values, count);
    public static nint GetSymbolicDimensions(nint info, byte** names, nuint count) => ((delegate* unmanaged<nint, byte**, nuint, nint>)Table[63])(info, names, count);
    public static void ReleaseTypeInfo(nint info) => ((delegate* unmanaged<nint, void>)Table[98])(info);
    public static void ReleaseTensorTypeAndShapeInfo(nint info) => ((delegate* unmanaged<nint, void>)Table[99])(info);

    public static nint CreateMemoryInfo(byte* name, int allocatorType, int id, int memoryType, nint* info) => ((delegate* unmanaged<byte*, int, int, int, nint*, nint>)Table[68])(name, allocatorType, id, memoryType, info);
    public static nint CreateCpuMemoryInfo(int allocatorType, int memoryType, nint* info) => ((delegate* unmanaged<int, int, nint*, nint>)Table[69])(allocatorType, memoryType, info);
    public static void ReleaseMemoryInfo(nint info) => ((delegate* unmanaged<nint, void>)Table[94])(info);
    public static nint AllocatorFree(nint allocator, void* memory) => ((delegate* unmanaged<nint, void*, nint>)Table[76])(allocator, memory);
    public static nint GetAllocatorWithDefaultOptions(nint* allocator) => ((delegate* unmanaged<nint*, nint>)Table[78])(allocator);

    public static nint CreateIoBinding(nint session, nint* binding) => ((delegate* unmanaged<nint, nint*, nint>)Table[134])(session, binding);
    public static void ReleaseIoBinding(nint binding) => ((delegate* unmanaged<nint, void>)Table[135])(binding);
    public static nint BindInput(nint binding, byte* name, nint value) => ((delegate* unmanaged<nint, byte*, nint, nint>)Table[136])(binding, name, value);
    public static nint BindOutput(nint binding, byte* name, nint value) => ((delegate* unmanaged<nint, byte*, nint, nint>)Table[137])(binding, name, value);
    public static nint BindOutputToDevice(nint binding, byte* name, nint memory) => ((delegate* unmanaged<nint, byte*, nint, nint>)Table[138])(binding, name, memory);
    public static nint GetBoundOutputNames(nint binding, nint allocator, byte** names, nuint** lengths, nuint* count) => ((delegate* unmanaged<nint, nint, byte**, nuint**, nuint*, nint>)Table[139])(binding, allocator, names, lengths, count);
    public static nint GetBoundOutputValues(nint binding, nint allocator, nint** values, nuint* count) => ((delegate* unmanaged<nint, nint, nint**, nuint*, nint>)Table[140])(binding, allocator, values, count);
    public static void ClearBoundInputs(nint binding) => ((delegate* unmanaged<nint, void>)Table[141])(binding);
    public static void ClearBoundOutputs(nint binding) => ((delegate* unmanaged<nint, void>)Table[142])(binding);
    public static nint SynchronizeBoundInputs(nint binding) => ((delegate* unmanaged<nint, nint>)Table[202])(binding);
    public static nint SynchronizeBoundOutputs(nint binding) => ((delegate* unmanaged<nint, nint>)Table[203])(binding);

    public static nint ModelMetadataGetProducerName(nint metadata, nint allocator, byte** text) => ((delegate* unmanaged<nint, nint, byte**, nint>)Table[112])(metadata, allocator, text);
    public static nint ModelMetadataGetGraphName(nint metadata, nint allocator, byte** text) => ((delegate* unmanaged<nint, nint, byte**, nint>)Table[113])(metadata, allocator, text);
    public static nint ModelMetadataGetDomain(nint metadata, nint allocator, byte** text) => ((delegate* unmanaged<nint, nint, byte**, nint>)Table[114])(metadata, allocator, text);
    public static nint ModelMetadataGetDescription(nint metadata, nint allocator, byte** text) => ((delegate* unmanaged<nint, nint, byte**, nint>)Table[115])(metadata, allocator, text);
    public static nint ModelMetadataGetGraphDescription(nint metadata, nint allocator, byte** text) => ((delegate* unmanaged<nint, nint, byte**, nint>)Table[158])(metadata, allocator, text);
    public static nint ModelMetadataLookupCustomMetadataMap(nint metadata, nint allocator, byte* key, byte** value) => ((delegate* unmanaged<nint, nint, byte*, byte**, nint>)Table[116])(metadata, allocator, key, value);
    public static nint ModelMetadataGetVersion(nint metadata, long* version) => ((delegate* unmanaged<nint, long*, nint>)Table[117])(metadata, version);
    public static nint ModelMetadataGetCustomMetadataMapKeys(nint metadata, nint allocator, byte*** keys, long* count) => ((delegate* unmanaged<nint, nint, byte***, long*, nint>)Table[123])(metadata, allocator, keys, count);
    public static void ReleaseModelMetadata(nint metadata) => ((delegate* unmanaged<nint, void>)Table[118])(metadata);

    /// <summary>A native string that stays the library's.</summary>
    public static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text);

    /// <summary>A native string of the default allocator, which is freed.</summary>
    public static string TakeText(byte* text)
    {
        var result = Text(text);
        if (text is not null) Check(AllocatorFree(OrtAllocator.DefaultInstance.Pointer, text));
        return result;
    }

    /// <summary>A managed string as the C API wants it: UTF-8 and ended by a zero.</summary>
    public static byte[] Utf8(string text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    /// <summary>A path as the C API wants it: UTF-16 on Windows, UTF-8 elsewhere, ended by a zero.</summary>
    public static byte[] NativePath(string path) => OperatingSystem.IsWindows() ? Encoding.Unicode.GetBytes(path + '\0') : Utf8(path);

    private static nint* Load()
    {
        var library = Open();
        var apiBase = ((delegate* unmanaged<nint*>)NativeLibrary.GetExport(library, "OrtGetApiBase"))();
        Version = Text(((delegate* unmanaged<byte*>)apiBase[1])());
        var table = ((delegate* unmanaged<uint, nint*>)apiBase[0])(ApiVersion);
        return table is not null ? table : throw new DllNotFoundException($"ONNX Runtime {Version} is too old: 1.{ApiVersion} or later is needed.");
    }

    private static nint Open()
    {
        var assembly = Assembly.GetExecutingAssembly();
        if (Environment.GetEnvironmentVariable(LibraryVariable) is { Length: > 0 } chosen)
        {
            return NativeLibrary.Load(Directory.Exists(chosen) ? Path.Combine(chosen, FileName) : chosen);
        }
        // One that is beside the application, else what the system has.
        var beside = Path.Combine(AppContext.BaseDirectory, FileName);
        if (File.Exists(beside)) return NativeLibrary.Load(beside);
        if (NativeLibrary.TryLoad(FileName, assembly, null, out var library) || NativeLibrary.TryLoad(Library, assembly, null, out library)) return library;
        throw new DllNotFoundException(
            $"ONNX Runtime's library {FileName} is not beside the application. The build fetches it from npm (onnxruntime-node) for linux-x64 and linux-arm64; its output says why it could not. {LibraryVariable} may name another one.");
    }

    private static string FileName => OperatingSystem.IsWindows() ? "onnxruntime.dll" : OperatingSystem.IsMacOS() ? "libonnxruntime.dylib" : "libonnxruntime.so.1";
}
