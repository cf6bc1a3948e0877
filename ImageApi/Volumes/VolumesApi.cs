using System.Buffers;
using System.Globalization;
using System.Text.Json;
using ImageApi.HttpCaching;
using ImageApi.Origins;
using ImageApi.Problems;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Platform.TieredCache;

namespace ImageApi.Volumes;

/// <summary>NIfTI volumes of the file origins: which there are, and what each one is. Their bytes are under <c>/files</c>.</summary>
internal static class VolumesApi
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    public static IServiceCollection AddVolumes(this IServiceCollection services)
    {
        services.AddOptions<VolumesOptions>().BindConfiguration(VolumesOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<VolumesOptions>, VolumesOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<VolumeService>();
        services.TryAddSingleton<VolumeList>();
        return services;
    }

    public static IEndpointRouteBuilder MapVolumesApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/volumes").WithTags("Volumes").ProducesProblem(StatusCodes.Status400BadRequest);
        group.MapMethods("/", Verbs.GetAndHead, ListAsync).WithName("ListVolumes").Produces<VolumePage>();
        group.MapMethods("/{origin}/{**path}", Verbs.GetAndHead, GetAsync).WithName("GetVolume").Produces<VolumeDocument>()
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status502BadGateway);
        return app;
    }

    private static async Task ListAsync(HttpContext context, VolumeList list, EntityResponse responses)
    {
        if (ReadNumber(context.Request, "offset", 0, int.MaxValue, 0) is not { } offset || ReadNumber(context.Request, "limit", 1, MaxLimit, DefaultLimit) is not { } limit)
        {
            await Problem.BadRequest($"'offset' is 0 or more, 'limit' 1 to {MaxLimit}.").ExecuteAsync(context);
            return;
        }
        var page = await list.GetAsync(offset, limit, context.RequestAborted);
        var body = new ArrayBufferWriter<byte>(4096);
        await using (var json = new Utf8JsonWriter(body)) JsonSerializer.Serialize(json, page, VolumesJson.Default.VolumePage);
        var entity = new Entity(EntityTags.Of("volumes", Digest256.HashData(body.WrittenSpan)), VolumeService.MediaType, Freshness.Revalidate) { Vary = "Origin" };
        if (!await responses.BeginAsync(context, entity) || await EntityResponse.ResolveAsync(context, entity, body.WrittenCount) is null) return;
        await context.Response.BodyWriter.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    private static async Task GetAsync(HttpContext context, string origin, string? path, IOrigins origins, VolumeService volumes, VolumeList list, EntityResponse responses)
    {
        if (!origins.TryGet<IFileOrigin>(origin, out var found))
        {
            await Problem.NotFound("There is no origin of files of this name.").ExecuteAsync(context);
            return;
        }
        if (!VolumeNames.IsVolume(path ?? ""))
        {
            await Problem.NotFound("The path names no volume: those end in .nii, .nii.gz, .hdr or .hdr.gz.").ExecuteAsync(context);
            return;
        }
        var item = new OriginItem(path!);
        var withValues = context.Request.Query["fields"] != "geometry";
        await Healing.RetryAsync(context, (Origin: found, Item: item, WithValues: withValues, Volumes: volumes, List: list, Responses: responses), static async (http, request) =>
        {
            var files = await VolumeFiles.FindAsync(request.Origin, request.Item, http.RequestAborted);
            await (files is null ? Problem.NotFound("The origin has no such file.").ExecuteAsync(http) : SendAsync(http, files, request.WithValues, request.Volumes, request.List, request.Responses));
        });
    }

    private static async Task SendAsync(HttpContext context, VolumeFiles files, bool withValues, VolumeService volumes, VolumeList list, EntityResponse responses)
    {
        var freshness = VersionedUrl.Check(context.Request, files.Content, Freshness.Revalidate, out var problem);
        if (problem is not null)
        {
            await problem.ExecuteAsync(context);
            return;
        }
        var entity = new Entity(EntityTags.Of(VolumeService.KeyOf(files, withValues), VolumeService.MediaType), VolumeService.MediaType, freshness) { Vary = "Origin" };
        if (!await responses.BeginAsync(context, entity)) return;
        await using var lease = await volumes.GetAsync(files, withValues, context.RequestAborted);
        list.Saw(files);
        CacheStatus.Write(context, lease.Outcome, files.Origin.Name);
        await EntityResponse.SendAsync(context, entity, lease);
    }

    private static int? ReadNumber(HttpRequest request, string name, int least, int most, int absent)
    {
        if (!request.Query.TryGetValue(name, out var given)) return absent;
        return int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null;
    }
}
