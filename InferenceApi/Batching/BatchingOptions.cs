using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace InferenceApi.Batching;

/// <summary>How predictions of one model wait, and run together.</summary>
internal sealed class BatchingOptions
{
    public const string SectionName = "InferenceApi:Batching";

    /// <summary>Most samples in one run. Default 16; what a model really uses is measured while it is warmed. 1: never together.</summary>
    [Range(1, 1024)]
    public int MaxBatch { get; set; } = 16;

    /// <summary>Most bytes of inputs in one run. Default 256 MB.</summary>
    [Range(1, long.MaxValue)]
    public long MaxBatchBytes { get; set; } = 256 << 20;

    /// <summary>How long a run is held back for others to join, where the one before had several, at most half of what a run takes. Default 2 ms; an idle model never waits.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:01")]
    public TimeSpan LongestWait { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>Most predictions that wait for one model. Default 256; one more is answered 503 with <c>Retry-After</c>.</summary>
    [Range(1, 100_000)]
    public int QueueCapacity { get; set; } = 256;

    /// <summary>Most of them from one caller. Default 192: nobody can shut out the others.</summary>
    [Range(1, 100_000)]
    public int QueueCapacityPerCaller { get; set; } = 192;

    /// <summary>How long, at most, batches and threads are measured while a model is warmed. Default 1 s. 0: all threads, no batches.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan MeasureFor { get; set; } = TimeSpan.FromSeconds(1);
}

[OptionsValidator]
internal sealed partial class BatchingOptionsValidator : IValidateOptions<BatchingOptions>;
