namespace Platform.Codecs.WebP;

/// <summary>How pictures are encoded. The default value is the default.</summary>
public readonly record struct WebpOptions
{
    public WebpOptions() { }

    /// <summary>0 (coarse) to 100 (fine), default 85. Lossless: how hard to look for something smaller.</summary>
    public int Quality { get; init; } = 85;

    /// <summary>0 (quick) to 6 (small), default 4.</summary>
    public int Effort { get; init; } = 4;

    /// <summary>Every pixel comes out as it went in.</summary>
    public bool IsLossless { get; init; }
}
