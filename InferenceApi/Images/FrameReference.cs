using System.Globalization;

namespace InferenceApi.Images;

/// <summary>A frame that ImageApi holds: <c>study</c>, <c>series</c>, <c>instance</c> and <c>frame</c> (from 1 on) of a request.</summary>
internal sealed record FrameReference(string Study, string Series, string Instance, int Frame)
{
    /// <summary>Below ImageApi.</summary>
    public string Path => string.Create(CultureInfo.InvariantCulture, $"/dicomweb/studies/{Study}/series/{Series}/instances/{Instance}/frames/{Frame}");

    /// <summary>The instance's header below ImageApi.</summary>
    public string MetadataPath => $"/dicomweb/studies/{Study}/series/{Series}/instances/{Instance}/metadata";

    /// <summary>Reads one; what is wrong with it goes into <paramref name="error"/>.</summary>
    public static FrameReference? Read(string? study, string? series, string? instance, string? frame, out string error)
    {
        error = "";
        var number = 1;
        if (!IsUid(study) || !IsUid(series) || !IsUid(instance)) error = "A reference needs study, series and instance, a UID each (PS3.5 9.1).";
        else if (frame is not null && (!int.TryParse(frame, NumberStyles.None, CultureInfo.InvariantCulture, out number) || number < 1)) error = "The frame is a number from 1 on.";
        return error.Length > 0 ? null : new FrameReference(study!, series!, instance!, number);
    }

    // Nothing else may get into a path.
    private static bool IsUid(string? text) => text is { Length: >= 1 and <= 64 } && !text.AsSpan().ContainsAnyExcept("0123456789.") && !text.StartsWith('.');
}
