using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ImageApi.Events;

/// <summary>Bounds of the stream of events. Section <c>ImageApi:Events</c>.</summary>
internal sealed class EventsOptions
{
    public const string SectionName = "ImageApi:Events";

    /// <summary>Events that are kept for listeners that fall behind or come back with <c>Last-Event-ID</c>; at most 4 KB each. Older ones are lost to them, and they are told so. Default 512.</summary>
    [Range(1, 65_536)]
    public int History { get; set; } = 512;

    /// <summary>Listeners at once; the next one is 503. Default 512.</summary>
    [Range(1, 65_536)]
    public int MaxListeners { get; set; } = 512;

    /// <summary>How long a stream may be silent before a comment shows that it lives. Default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:10:00")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>A study is told about at most this often. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan StudyInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a series has to be quiet before its thumbnail is made. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan ThumbnailQuiet { get; set; } = TimeSpan.FromSeconds(2);
}

[OptionsValidator]
internal sealed partial class EventsOptionsValidator : IValidateOptions<EventsOptions>;
