namespace InferenceApi.Hosting;

/// <summary>Which pages of other origins may read answers.</summary>
internal sealed class CrossOriginOptions
{
    public const string SectionName = "InferenceApi:Cors";

    /// <summary>
    /// Origins such as <c>https://viewer.example</c>, or <c>*</c> for any. Default empty: pages served from this machine
    /// (<c>localhost</c> or a loopback address, any port), so that a page of the internet cannot have models run through the user's browser.
    /// </summary>
    public string[] Origins { get; set; } = [];
}
