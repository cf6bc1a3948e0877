namespace InferenceApi.Batching;

/// <summary>Too much is being asked for; the answer is 503 with <c>Retry-After</c>.</summary>
internal sealed class BusyException(string message, TimeSpan retryAfter) : Exception(message)
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}
