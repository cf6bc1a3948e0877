namespace Platform.Onnx;

/// <summary>The native runtime is not there: no model can be loaded in this process.</summary>
public sealed class OnnxUnavailableException(string message) : Exception(message);

/// <summary>The device that was asked for by name cannot run the model.</summary>
public sealed class DeviceRefusedException(DeviceRefusal refusal) : Exception($"{refusal.Device} cannot be used: {refusal.Reason}")
{
    public DeviceRefusal Refusal { get; } = refusal;
}

/// <summary>A file that is no model, or one that this runtime cannot run: broken, unknown operators, inputs that are no tensors of numbers.</summary>
public sealed class InvalidModelException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Tensors that the model does not take: how many, which type, which shape.</summary>
public sealed class InvalidTensorException(string message) : Exception(message);

/// <summary>A model failed while it ran on tensors that it should take.</summary>
public sealed class OnnxRunException(string message, Exception? inner = null) : Exception(message, inner);
