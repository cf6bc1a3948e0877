using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace InferenceApi.OpenInference;

/// <summary>What one request of the Open Inference Protocol may carry.</summary>
internal sealed class OpenInferenceOptions
{
    public const string SectionName = "InferenceApi:OpenInference";

    /// <summary>Largest body, JSON and binary tensors together. Default 512 MB; beyond it 413.</summary>
    [Range(1024, long.MaxValue)]
    public long MaxBodyBytes { get; set; } = 512 << 20;

    /// <summary>Largest JSON part. Default 64 MB; beyond it 413: larger tensors are sent as binary.</summary>
    [Range(1024, 1 << 30)]
    public int MaxJsonBytes { get; set; } = 64 << 20;
}

[OptionsValidator]
internal sealed partial class OpenInferenceOptionsValidator : IValidateOptions<OpenInferenceOptions>;
