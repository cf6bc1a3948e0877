using TestHost;

// One argument names the model to run; environment variables carry the rest.
var builder = DistributedApplication.CreateBuilder(args);
var port = int.Parse(Environment.GetEnvironmentVariable("TEST_PORT") ?? "0") is > 0 and var wished ? wished : (int?)null;
switch (args[0])
{
    case "one":
        builder.AddProject<Projects.TestService>("one").WithHttpEndpoint(port: port).WithHttpHealthCheck("/health");
        break;
    case "bare":
        builder.AddProject<Projects.TestService>("bare", launchProfileName: null).WithHttpEndpoint(env: "PORT").WithHttpHealthCheck("/health");
        break;
    case "chain":
        var first = builder.AddProject<Projects.TestService>("first-one")
            .WithHttpEndpoint(port: port)
            .WithEnvironment("HEALTHY_AFTER_MS", "700")
            .WithHttpHealthCheck("/health");
        builder.AddProject<Projects.TestService>("second")
            .WithHttpEndpoint()
            .WithHttpEndpoint(name: "metrics")
            .WithReference(first)
            .WaitFor(first)
            .WithEnvironment("SET_TWICE", "model")
            .WithEnvironment("FIRST_ADDRESS", first.GetEndpoint("http"))
            .WithHttpHealthCheck("/health");
        break;
    case "redis":
        var cache = builder.AddRedis("cache");
        builder.AddProject<Projects.TestService>("one").WithHttpEndpoint().WithReference(cache).WaitFor(cache).WithHttpHealthCheck("/health");
        break;
    case "built-here":
        var built = builder.AddProject<BuiltHere>("built").WithHttpEndpoint().WithHttpHealthCheck("/");
        builder.AddProject<Projects.TestService>("after").WithHttpEndpoint().WaitFor(built).WithHttpHealthCheck("/health");
        break;
    case "not-built":
        builder.AddProject<NotBuilt>("missing");
        builder.AddProject<Projects.TestService>("one").WithHttpEndpoint().WithHttpHealthCheck("/health");
        break;
    default:
        throw new ArgumentException($"There is no model '{args[0]}'.");
}
builder.Build().Run();
