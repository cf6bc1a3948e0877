using ImageApi.CacheAdmin;
using ImageApi.Cases;
using ImageApi.Catalog;
using ImageApi.Demo;
using ImageApi.Events;
using ImageApi.Files;
using ImageApi.Frames;
using ImageApi.Hosting;
using ImageApi.HttpCaching;
using ImageApi.Manifest;
using ImageApi.Origins;
using ImageApi.Origins.Dicomweb;
using ImageApi.Origins.Http;
using ImageApi.Origins.S3;
using ImageApi.Pictures;
using ImageApi.Prefetch;
using ImageApi.Preview;
using ImageApi.Problems;
using ImageApi.Rendered;
using ImageApi.Retrieve;
using ImageApi.Search;
using ImageApi.Settings;
using ImageApi.Store;
using ImageApi.Tiles;
using ImageApi.Volumes;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Configuration.AddOlderNames();
builder.AddServiceDefaults();
builder.AddServer();
builder.AddTieredCache();
builder.Services
    .AddProblems()
    .AddSettings()
    .AddHttpCaching()
    .AddOrigins()
    .AddDicomwebOrigins()
    .AddHttpOrigins()
    .AddS3Origins()
    .AddCatalog()
    .AddStore()
    .AddEvents()
    .AddDemo()
    .AddSearch()
    .AddRetrieve()
    .AddFrames()
    .AddPrefetch()
    .AddRendered()
    .AddPictures()
    .AddManifest()
    .AddPreview()
    .AddCases()
    .AddTiles()
    .AddFiles()
    .AddVolumes()
    .AddCacheAdmin();

var app = builder.Build();
app.UseProblems();
StaleAnswer.Use(app);
OriginScope.Use(app);
app.UseRouting();
app.UseCors();
app.MapDefaultEndpoints();
app.MapSearchApi();
app.MapRetrieveApi();
app.MapStoreApi();
app.MapCatalogApi();
app.MapFramesApi();
app.MapRenderedApi();
app.MapPicturesApi();
app.MapManifestApi();
app.MapPreviewApi();
app.MapCasesApi();
app.MapTilesApi();
app.MapFilesApi();
app.MapVolumesApi();
app.MapEventsApi();
app.MapCacheAdminApi();
app.MapOriginsApi();
OriginScope.MapPassThrough(app);
app.Run();
