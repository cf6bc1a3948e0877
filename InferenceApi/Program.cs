using InferenceApi.Hosting;
using InferenceApi.Images;
using InferenceApi.OpenInference;
using InferenceApi.Problems;
using InferenceApi.ResultCache;
using InferenceApi.Segmentation;
using InferenceApi.Sessions;

var builder = WebApplication.CreateSlimBuilder(args);
builder.AddServiceDefaults();
builder.AddServer();
builder.AddResultCache();
builder.Services
    .AddProblems()
    .AddSessions()
    .AddImages()
    .AddSegmentation()
    .AddOpenInference();

var app = builder.Build();
app.UseProblems();
app.UseResponseCompression();
app.UseRouting();
app.UseCors();
app.MapDefaultEndpoints();
app.MapSessionsApi();
app.MapOpenInferenceApi();
app.MapSegmentationApi();
app.MapResultCacheApi();
app.Run();
