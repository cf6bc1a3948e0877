using System.Text.Json.Serialization;

namespace ImageApi.Origins.Dicomweb;

/// <summary>How a DICOMweb server is best asked. What <c>platform doctor</c> found out, or what nearly every server understands.</summary>
internal sealed record PeerProfile
{
    /// <summary>Asks for a frame in the transfer syntax that it is stored in.</summary>
    public string FrameAccept { get; init; } = "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*";

    /// <summary>Asks for an instance as it is stored.</summary>
    public string InstanceAccept { get; init; } = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";

    /// <summary>Whether frames can be had one by one; else whole instances are fetched and frames are found in them.</summary>
    public bool HasFrames { get; init; } = true;

    /// <summary>Requests at once that the server gained from, when that is less than is configured; null: not measured.</summary>
    public int? Parallelism { get; init; }

    /// <summary>When it was found out; null: never.</summary>
    public DateTimeOffset? MeasuredAt { get; init; }

    /// <summary>What nearly every server understands.</summary>
    public static PeerProfile Default { get; } = new();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(PeerProfile))]
internal sealed partial class PeerProfileJson : JsonSerializerContext;
