using System.Collections;
using System.Diagnostics;

// A service that tests of the application host look at, trouble and kill.
var name = Environment.GetEnvironmentVariable("OTEL_SERVICE_NAME");
Console.WriteLine($"{name} starts");
var healthyAfter = TimeSpan.FromMilliseconds(int.Parse(Environment.GetEnvironmentVariable("HEALTHY_AFTER_MS") ?? "0"));
var started = Stopwatch.GetTimestamp();
var sick = false;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
var app = builder.Build();
app.MapGet("/health", () =>
{
    if (sick || Stopwatch.GetElapsedTime(started) < healthyAfter)
    {
        return Results.StatusCode(503);
    }
    Console.WriteLine($"{name} says it is healthy");
    return Results.Ok();
});
app.MapGet("/environment", () => Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value));
app.MapGet("/process", () => new { id = Environment.ProcessId, folder = Environment.CurrentDirectory });
app.MapPost("/say", async (HttpRequest request) =>
{
    using var reader = new StreamReader(request.Body);
    Console.WriteLine(await reader.ReadToEndAsync());
});
app.MapPost("/sick", () => { sick = true; });
app.MapPost("/child", () => { _ = Process.Start(new ProcessStartInfo("sleep", "1000")); });
// Hangs when it is told to stop, for longer than anybody waits.
app.MapPost("/deaf", () => { app.Lifetime.ApplicationStopping.Register(() => new ManualResetEventSlim().Wait()); });
app.Run();
