namespace InferenceApi.OpenInference;

/// <summary>A request that is not what the Open Inference Protocol says; the answer is 400 and says where.</summary>
internal sealed class InvalidRequestException(string message) : Exception(message);
