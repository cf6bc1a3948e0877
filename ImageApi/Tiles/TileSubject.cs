using System.Globalization;
using ImageApi.Cases;
using ImageApi.Catalog;
using ImageApi.Problems;
using ImageApi.Rendered;
using Platform.TieredCache;

namespace ImageApi.Tiles;

/// <summary>
/// What a request means by case, <c>series</c>, <c>instance</c> and <c>frame</c>: the series' slide, or one frame. Left out, they mean the first series that is
/// a slide, else the first with pictures; all levels of a slide, else the first instance with pixels; its first frame.
/// </summary>
/// <param name="Study">The case.</param>
/// <param name="Series">In it.</param>
/// <param name="Instance">Null for a slide's levels together.</param>
/// <param name="FrameIndex">Of the instance, from 0; -1 for a slide's level as a whole.</param>
internal sealed record TileSubject(StudyEntry Study, SeriesEntry Series, InstanceEntry? Instance, int FrameIndex)
{
    /// <summary>What <c>v</c> names.</summary>
    public Digest256 Version => Instance?.Content ?? Series.Content;

    /// <summary>Where the answer comes from, for <c>Cache-Status</c>.</summary>
    public string OriginName => (Instance ?? Series.Instances[0]).OriginName;

    public static TileSubject? Find(StudyEntry study, IQueryCollection query, out Problem? problem)
    {
        problem = null;
        SeriesEntry? series;
        if (query.TryGetValue("series", out var seriesUid))
        {
            series = study.Series.FirstOrDefault(each => each.SeriesUid == seriesUid);
            if (series is null) problem = Problem.NotFound("The case has no such series.");
        }
        else if (query.TryGetValue("instance", out var sopUid))
        {
            series = study.Series.FirstOrDefault(each => each.TryGetInstance(sopUid.ToString(), out _));
            if (series is null) problem = Problem.NotFound("The case has no such instance.");
        }
        else
        {
            series = study.Series.FirstOrDefault(static each => each.Instances.Any(SlideReader.IsSlide)) ?? RenderedApi.RepresentativeOf(study);
            if (series is null) problem = Problem.NotFound("There is nothing to be seen: no image is among the instances.");
        }
        return series is null ? null : FindInstance(study, series, query, out problem);
    }

    /// <summary>The frame that stands for a series of a slide's pictures without a pyramid.</summary>
    public TileSubject? WithFirstFrame() =>
        Series.Instances.FirstOrDefault(static each => each.HasPixels) is { } first ? this with { Instance = first, FrameIndex = 0 } : null;

    private static TileSubject? FindInstance(StudyEntry study, SeriesEntry series, IQueryCollection query, out Problem? problem)
    {
        problem = null;
        InstanceEntry? instance = null;
        if (query.TryGetValue("instance", out var sopUid) && !series.TryGetInstance(sopUid.ToString(), out instance))
        {
            problem = Problem.NotFound("The series has no such instance.");
            return null;
        }
        var frameIndex = -1;
        if (query.TryGetValue("frame", out var frame))
        {
            if (!int.TryParse(frame, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                problem = new Problem(ProblemTypes.InvalidParameter, "Invalid parameter", StatusCodes.Status400BadRequest, "The parameter 'frame' has to be the number of a frame, from 1.");
                return null;
            }
            frameIndex = number - 1;
        }

        var isSlide = instance is null ? series.Instances.Any(SlideReader.IsSlide) : SlideReader.IsSlide(instance);
        if (isSlide && frameIndex < 0 && !query.ContainsKey("frame")) return new TileSubject(study, series, instance, -1);
        instance ??= series.Instances.FirstOrDefault(static each => each.HasPixels);
        if (instance is not { HasPixels: true })
        {
            problem = Problem.NotFound("There is nothing to be seen: no image is among the instances.");
            return null;
        }
        if (!query.ContainsKey("frame")) frameIndex = 0;
        if (frameIndex >= 0 && frameIndex < instance.FrameCount) return new TileSubject(study, series, instance, frameIndex);
        problem = new Problem(ProblemTypes.FrameNotFound, "No such frame", StatusCodes.Status404NotFound, $"The instance has frames 1 to {instance.FrameCount}.");
        return null;
    }
}
