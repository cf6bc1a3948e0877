namespace Microsoft.ML.OnnxRuntime;

public class OnnxRuntimeException : Exception
{
    private static readonly string[] Names =
    [
        "Ok", "Fail", "InvalidArgument", "NoSuchFile", "NoModel", "EngineError", "RuntimeException", "InvalidProtobuf", "ModelLoaded", "NotImplemented",
        "InvalidGraph", "ShapeInferenceNotRegistered", "RequirementNotRegistered",
    ];

    internal OnnxRuntimeException(int code, string message)
        : base($"[ErrorCode:{(code >= 0 && code < Names.Length ? Names[code] : code)}] {message}")
    {
    }
}
