using DemoFiles;

// A file server as slow as one far away, with volumes that it makes itself: what the cache is shown with.
var builder = WebApplication.CreateSlimBuilder(args);
builder.AddServiceDefaults();
// While the volume is being made it is not ready, which is no failure.
builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
builder.WebHost.ConfigureKestrel(static server => server.AddServerHeader = false);
builder.Services.AddDemoFiles();

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapDemoFilesApi();
app.Run();
