using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace InferenceApi.ResultCache;

/// <summary>How long results are kept. Section <c>InferenceApi:Results</c>. Their bytes are bounded by the tiers (<c>TieredCache</c>).</summary>
internal sealed class ResultOptions
{
    public const string SectionName = "InferenceApi:Results";

    /// <summary>In Redis and on disk. A result never becomes wrong: it is known by the pixels, the model and the parameters that it was made from. Default 300 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan Ttl { get; set; } = TimeSpan.FromSeconds(300);
}

[OptionsValidator]
internal sealed partial class ResultOptionsValidator : IValidateOptions<ResultOptions>;
