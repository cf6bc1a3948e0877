using System.Text.Json.Serialization;
using ImageApi.HttpCaching;
using Platform.TieredCache;

namespace ImageApi.Tiles;

/// <summary>
/// A slide or a large frame, and where its tiles are. A level is <see cref="TileSize"/> pixels or less at level 0; the last one is the whole. Deep Zoom's number of a
/// level is ours and <see cref="DeepZoomOffset"/>.
/// </summary>
/// <param name="CaseId">As asked for.</param>
/// <param name="Study">Study Instance UID.</param>
/// <param name="Series">Series Instance UID.</param>
/// <param name="Instance">SOP Instance UID; absent for the levels of a slide together.</param>
/// <param name="Frame">Its frame, from 1; absent for a slide's level as a whole.</param>
/// <param name="Version">For <c>v</c>.</param>
/// <param name="IsSlide">A whole slide, not a frame.</param>
/// <param name="Width">Of the whole, in pixels.</param>
/// <param name="Height">Of the whole, in pixels.</param>
/// <param name="TileSize">Pixels a side.</param>
/// <param name="Overlap">Pixels that neighbouring tiles share: none.</param>
/// <param name="DeepZoomOffset">What Deep Zoom has below level 0.</param>
/// <param name="Levels">From the smallest.</param>
/// <param name="Spacing">Of the whole's pixels; absent when unknown.</param>
/// <param name="ObjectivePower">Of the lens, such as 40; absent when unknown.</param>
/// <param name="Tiles">Address of a tile, with <c>{level}</c>, <c>{x}</c> and <c>{y}</c>.</param>
/// <param name="DeepZoom">Address of the Deep Zoom descriptor.</param>
/// <param name="Associated">Label, overview and thumbnail.</param>
internal sealed record SlideDescriptor(
    string CaseId, string Study, string Series, string? Instance, int? Frame, string Version, bool IsSlide, int Width, int Height, int TileSize, int Overlap, int DeepZoomOffset,
    IReadOnlyList<SlideLevel> Levels, SlideSpacing? Spacing, double? ObjectivePower, string Tiles, string DeepZoom, IReadOnlyList<SlidePicture> Associated)
{
    public static SlideDescriptor Of(string caseId, TileSubject subject, Pyramid pyramid)
    {
        var grid = pyramid.Grid;
        var folder = $"/api/dicom/{Uri.EscapeDataString(caseId)}";
        var query = $"?series={subject.Series.SeriesUid}"
            + (subject.Instance is { } instance ? $"&instance={instance.SopUid}" : "")
            + (subject.FrameIndex >= 0 ? $"&frame={subject.FrameIndex + 1}" : "")
            + $"&{VersionedUrl.Parameter}={subject.Version.ToShortString()}";
        return new SlideDescriptor(caseId, subject.Study.StudyUid, subject.Series.SeriesUid, subject.Instance?.SopUid, subject.FrameIndex < 0 ? null : subject.FrameIndex + 1,
            subject.Version.ToShortString(), pyramid.IsSlide, grid.Width, grid.Height, TileGrid.TileSize, Overlap: 0, grid.DeepZoomOffset,
            [.. Enumerable.Range(0, grid.LevelCount).Select(level => new SlideLevel(level, grid.WidthAt(level), grid.HeightAt(level), grid.TilesAt(level).Columns, grid.TilesAt(level).Rows, pyramid.Stored.Any(stored => stored.Level == level)))],
            pyramid.Spacing is { } spacing ? new SlideSpacing(spacing.X, spacing.Y) : null, pyramid.ObjectivePower,
            $"{folder}/tiles/{{level}}/{{x}}/{{y}}{query}", $"{folder}/slide.dzi{query}",
            [.. pyramid.Associated.Select(picture => new SlidePicture(picture.Kind, picture.Instance.Columns, picture.Instance.Rows,
                $"/dicomweb/studies/{picture.Instance.StudyUid}/series/{picture.Instance.SeriesUid}/instances/{picture.Instance.SopUid}/rendered?{VersionedUrl.Parameter}={picture.Instance.Content.ToShortString()}"))]);
    }

    /// <summary>The Deep Zoom descriptor, in Microsoft's schema of 2008.</summary>
    public static string ToDeepZoom(TileGrid grid) =>
        $"""<?xml version="1.0" encoding="utf-8"?><Image xmlns="http://schemas.microsoft.com/deepzoom/2008" TileSize="{TileGrid.TileSize}" Overlap="0" Format="jpeg"><Size Width="{grid.Width}" Height="{grid.Height}"/></Image>""";

    /// <summary>Of what the descriptor's bytes follow: everything but the version, which is beside.</summary>
    public static Digest256 ContentOf(TileSubject subject, Pyramid pyramid, string caseId)
    {
        var builder = new DigestBuilder(stackalloc byte[512], "slide1"u8);
        builder.Add(pyramid.Content);
        builder.Add(subject.Version);
        builder.Add(subject.FrameIndex);
        builder.Add(subject.Instance?.SopUid ?? "");
        builder.Add(caseId);
        return builder.Finish();
    }
}

/// <summary>A level of the pyramid.</summary>
/// <param name="Level">From 0.</param>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Columns">Tiles across.</param>
/// <param name="Rows">Tiles down.</param>
/// <param name="IsStored">Cut from frames as they are; others are made from finer ones.</param>
internal sealed record SlideLevel(int Level, int Width, int Height, int Columns, int Rows, bool IsStored);

/// <summary>Distance of pixels in mm.</summary>
internal sealed record SlideSpacing(double X, double Y);

/// <summary>A picture beside the pyramid.</summary>
/// <param name="Kind">label, overview or thumbnail.</param>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Url">Rendered.</param>
internal sealed record SlidePicture(string Kind, int Width, int Height, string Url);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SlideDescriptor))]
[JsonSerializable(typeof(SlideList))]
internal sealed partial class SlideJson : JsonSerializerContext;
