namespace ImageApi.Demo;

/// <summary>Whether an empty store gets demo studies.</summary>
internal sealed class DemoOptions
{
    public const string SectionName = "ImageApi:Demo";

    /// <summary>
    /// Default false; the AppHost sets it. When true, and neither the store nor any origin holds an instance at the start, a synthetic CT series
    /// (<see cref="PhantomSeries"/>, 200 slices, 105 MB) and a synthetic whole slide (<see cref="PhantomSlide"/>, 2 MB) are made and stored in the background.
    /// Where there are no pictures, three (<see cref="DemoScenes"/>) are made too.
    /// </summary>
    public bool Enabled { get; set; }
}
