using System.Text.Json;

namespace Web.Volumes;

/// <summary>What the scripts of both volume pages find in the page (<c>platform-config</c>).</summary>
/// <param name="ImageApi">Public address of ImageApi, without a slash at the end.</param>
/// <param name="Volume">The volume to load; null where none is chosen.</param>
public sealed record VolumeConfig(string ImageApi, VolumeSummary? Volume)
{
    /// <summary>JSON that can stand inside a script element: <c>&lt;</c>, <c>&gt;</c> and <c>&amp;</c> are escaped.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, VolumesJson.Default.VolumeConfig);
}
