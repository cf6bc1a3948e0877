using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

public unsafe class NodeMetadata
{
    /// <summary>Reads what <paramref name="info"/> says and releases it.</summary>
    internal NodeMetadata(nint info)
    {
        try
        {
            int type;
            OrtApi.Check(OrtApi.GetOnnxTypeFromTypeInfo(info, &type));
            OnnxValueType = (OnnxValueType)type;
            if (!IsTensor) return;
            nint tensor; // a view of info
            OrtApi.Check(OrtApi.CastTypeInfoToTensorInfo(info, &tensor));
            var facts = new OrtTensorTypeAndShapeInfo(tensor);
            ElementDataType = facts.ElementDataType;
            Dimensions = Array.ConvertAll(facts.Shape, static dimension => checked((int)dimension));
            var names = new nint[Dimensions.Length];
            fixed (nint* first = names)
            {
                OrtApi.Check(OrtApi.GetSymbolicDimensions(tensor, (byte**)first, (nuint)names.Length));
            }
            SymbolicDimensions = Array.ConvertAll(names, static name => OrtApi.Text((byte*)name) ?? "");
        }
        finally
        {
            OrtApi.ReleaseTypeInfo(info);
        }
    }

    public OnnxValueType OnnxValueType { get; }

    public bool IsTensor => OnnxValueType is OnnxValueType.ONNX_TYPE_TENSOR or OnnxValueType.ONNX_TYPE_SPARSETENSOR;

    public bool IsString => ElementDataType == TensorElementType.String;

    /// <summary>-1 where the model leaves a dimension open.</summary>
    public int[] Dimensions { get; } = [];

    /// <summary>The names of open dimensions; empty where one has none.</summary>
    public string[] SymbolicDimensions { get; } = [];

    public TensorElementType ElementDataType { get; }

    public Type ElementType => ElementTypes.TypeOf(ElementDataType);
}
