// What runs, who uses whom, and who waits for whom: read from top to bottom.
var builder = DistributedApplication.CreateBuilder(args);

// Shared between nodes; without it the services keep what they need in their own memory.
var cache = builder.AddRedis("cache");

// A file server as slow as one far away, with a synthetic volume: what the volume pages show on a fresh clone.
var demoFiles = builder.AddProject<Projects.DemoFiles>("demo-files")
    .WithHttpHealthCheck("/health");

// DICOMweb and REST, over the tiers of the cache. An empty store begins with a synthetic study.
var imageApi = builder.AddProject<Projects.ImageApi>("image-api")
    .WithReference(cache)
    .WaitFor(cache)
    .WithEnvironment("ImageApi__Demo__Enabled", "true")
    .WithEnvironment("ImageApi__Origins__demo-files__Kind", "http")
    .WithEnvironment("ImageApi__Origins__demo-files__Url", demoFiles.GetEndpoint("http"))
    .WithHttpHealthCheck("/health");

// Models: segmentation and depth, on pictures that are sent and on what ImageApi holds. Ready before any model is loaded.
var inferenceApi = builder.AddProject<Projects.InferenceApi>("inference-api")
    .WithReference(cache)
    .WaitFor(cache)
    .WithReference(imageApi)
    .WaitFor(imageApi)
    .WithHttpHealthCheck("/health");

// The pages: study list and viewer.
builder.AddProject<Projects.Web>("web")
    .WithReference(imageApi)
    .WithReference(inferenceApi)
    .WaitFor(imageApi)
    .WaitFor(inferenceApi)
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health");

builder.Build().Run();
