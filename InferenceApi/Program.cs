using InferenceApi.Hosting;
using InferenceApi.Images;
using InferenceApi.Models;
using InferenceApi.OpenInference;
using InferenceApi.Problems;
using InferenceApi.ResultCache;
using InferenceApi.Segmentation;
using InferenceApi.Sessions;

if (args is [ModelChild.Argument, .. var work]) return await ModelChild.RunAsync(work);

var builder = WebApplication.CreateSlimBuilder(args);
builder.AddServiceDefaults();
builder.AddServer();
builder.AddResultCache();
builder.Services
    .AddProblems()
    .AddModels()
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
app.MapModelsApi();
app.MapSessionsApi();
app.MapOpenInferenceApi();
app.MapSegmentationApi();
app.MapResultCacheApi();
app.Run();
return 0;
