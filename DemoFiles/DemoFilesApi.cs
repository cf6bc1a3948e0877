using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace DemoFiles;

/// <summary>The files with ranges and validators, as any file server has them, and a list as nginx writes it (<c>autoindex_format json</c>).</summary>
internal static class DemoFilesApi
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    public static IServiceCollection AddDemoFiles(this IServiceCollection services)
    {
        services.AddOptions<DemoFilesOptions>().BindConfiguration(DemoFilesOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<DemoFilesOptions>, DemoFilesOptionsValidator>());
        services.TryAddSingleton<SlowLine>();
        services.TryAddSingleton<DemoLibrary>();
        services.AddHostedService(static provider => provider.GetRequiredService<DemoLibrary>());
        services.AddHealthChecks().AddCheck<DemoLibrary>("files");
        return services;
    }

    public static IEndpointRouteBuilder MapDemoFilesApi(this IEndpointRouteBuilder app)
    {
        app.MapMethods("/index.json", Methods, GetIndexAsync).WithName("ListFiles");
        app.MapMethods("/{name}", Methods, GetFileAsync).WithName("GetFile");
        return app;
    }

    private static async Task<JsonHttpResult<IEnumerable<IndexEntry>>> GetIndexAsync(HttpResponse response, DemoLibrary library, SlowLine line, CancellationToken cancellationToken)
    {
        var files = await library.GetAsync(cancellationToken);
        await line.DelayAsync(cancellationToken);
        response.Headers.CacheControl = "no-cache";
        return TypedResults.Json(files.Select(static file => new IndexEntry(file.Name, "file", DemoLibrary.Modified.ToString("R", CultureInfo.InvariantCulture), file.Bytes.LongLength)));
    }

    private static async Task<Results<FileStreamHttpResult, NotFound>> GetFileAsync(string name, HttpResponse response, DemoLibrary library, SlowLine line, CancellationToken cancellationToken)
    {
        var files = await library.GetAsync(cancellationToken);
        await line.DelayAsync(cancellationToken);
        if (files.FirstOrDefault(file => file.Name == name) is not { } file) return TypedResults.NotFound();
        response.Headers.CacheControl = "max-age=60";
        return TypedResults.Stream(new SlowStream(file.Bytes, line), "application/octet-stream", lastModified: DemoLibrary.Modified, entityTag: new EntityTagHeaderValue(file.EntityTag), enableRangeProcessing: true);
    }

    private sealed record IndexEntry(string Name, string Type, string Mtime, long Size);
}
