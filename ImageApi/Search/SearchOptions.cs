using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ImageApi.Search;

internal sealed class SearchOptions
{
    public const string SectionName = "ImageApi:Search";

    /// <summary>
    /// Rows in one answer, 1 to 100,000; default 5,000. A larger <c>limit</c> is cut to it, and an answer that was cut says so in
    /// <c>Warning: 299</c>.
    /// </summary>
    [Range(1, 100_000)]
    public int MaxResults { get; set; } = 5_000;

    /// <summary>
    /// How long a search waits for an origin over a network, 10 ms to 1 min; default 2 s. The answer goes out without a slower one, and says so in
    /// <c>Warning: 299</c>.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan OriginTimeout { get; set; } = TimeSpan.FromSeconds(2);
}

[OptionsValidator]
internal sealed partial class SearchOptionsValidator : IValidateOptions<SearchOptions>;
