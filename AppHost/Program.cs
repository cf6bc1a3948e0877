// What runs, who uses whom, and who waits for whom: read from top to bottom.
var builder = DistributedApplication.CreateBuilder(args);

// Shared between nodes; without it the services keep what they need in their own memory.
var cache = builder.AddRedis("cache");

// DICOMweb and REST, over the tiers of the cache. An empty store begins with a synthetic study.
var imageApi = builder.AddProject<Projects.ImageApi>("image-api")
    .WithReference(cache)
    .WaitFor(cache)
    .WithEnvironment("ImageApi__Demo__Enabled", "true")
    .WithHttpHealthCheck("/health");

// The pages: study list and viewer.
builder.AddProject<Projects.Web>("web")
    .WithReference(imageApi)
    .WaitFor(imageApi)
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health");

builder.Build().Run();
