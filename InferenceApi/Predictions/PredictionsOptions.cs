using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace InferenceApi.Predictions;

/// <summary>What one prediction may ask for.</summary>
internal sealed class PredictionsOptions
{
    public const string SectionName = "InferenceApi:Predictions";

    /// <summary>How long a prediction may take, waiting included. Default 1 minute; then 504. Loading the model is not counted.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Most bytes of tensors and bodies of all predictions together. Default 1 GB; beyond it 503.</summary>
    [Range(1, long.MaxValue)]
    public long MaxBytesInFlight { get; set; } = 1 << 30;

    /// <summary>Whether NaN and infinities are taken as input. Default false: 400 names the input.</summary>
    public bool AllowNonFinite { get; set; }
}

[OptionsValidator]
internal sealed partial class PredictionsOptionsValidator : IValidateOptions<PredictionsOptions>;
