using System.Text.Json;

namespace Web.Slides;

/// <summary>What the page's scripts find in it (<c>platform-config</c>).</summary>
/// <param name="ImageApi">Public address of ImageApi, without a slash at the end.</param>
/// <param name="Study">Study Instance UID of the slide to open; null where none is chosen.</param>
/// <param name="Series">Its Series Instance UID.</param>
public sealed record SlideConfig(string ImageApi, string? Study, string? Series)
{
    /// <summary>JSON that can stand inside a script element: <c>&lt;</c>, <c>&gt;</c> and <c>&amp;</c> are escaped.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, SlidesJson.Default.SlideConfig);
}
