using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace InferenceApi.Sessions;

/// <summary>Where models run, and how many stay in memory.</summary>
internal sealed class SessionsOptions
{
    public const string SectionName = "InferenceApi:Sessions";

    /// <summary><c>auto</c> (CUDA, WebGPU on a hardware adapter, CPU: the first that works) or a device by name: <c>cpu</c>, <c>webgpu</c>, <c>cuda</c>, <c>cuda:1</c>. Default <c>auto</c>.</summary>
    [RegularExpression("(?i)auto|cpu|webgpu|cuda(:[0-9]{1,3})?")]
    public string Device { get; set; } = "auto";

    /// <summary>Threads for models. Default 0: as many as the machine, or the container's limit, gives the process.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>What loaded models may use, counted by the sizes of their files. Default 2 GB. Beyond it the one that was not used for longest, and that nobody uses, is unloaded.</summary>
    [Range(1, long.MaxValue)]
    public long MemoryBytes { get; set; } = 2L << 30;

    /// <summary>How long a model may take to be warmed and measured. Default 1 minute; beyond it the model is refused.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan WarmTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a model that could not be loaded is not tried again. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan RetryFailedAfter { get; set; } = TimeSpan.FromSeconds(10);
}

[OptionsValidator]
internal sealed partial class SessionsOptionsValidator : IValidateOptions<SessionsOptions>;
