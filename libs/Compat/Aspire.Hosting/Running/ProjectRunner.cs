using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Running;

/// <summary>A project as a local process: its built assembly, in its own folder, with the environment that Aspire gives it.</summary>
internal sealed class ProjectRunner(ProjectResource resource, RunContext context, IHostEnvironment host, IConfiguration configuration, HttpClient http)
    : Runner(resource, context)
{
    /// <summary>The host's own, which would lead a service astray.</summary>
    private static readonly string[] HostOnly = ["ASPNETCORE_URLS", "DOTNET_URLS", "URLS", "ASPNETCORE_HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS", "DOTNET_LAUNCH_PROFILE"];

    private readonly IProjectMetadata _project = resource.Annotations.OfType<IProjectMetadata>().Single();
    private readonly EndpointAnnotation[] _endpoints = [.. resource.Annotations.OfType<EndpointAnnotation>()];
    private readonly ProjectBuild _build = new(resource.Annotations.OfType<IProjectMetadata>().Single(), context.Build);
    private readonly bool _reloads = configuration.GetValue("AppHost:HotReload", host.IsDevelopment());

    protected override async Task<ProcessCommand?> PrepareAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(_project.ProjectPath))
        {
            Fail($"cannot start: there is no project {_project.ProjectPath}");
            return null;
        }
        if (!_project.SuppressBuild)
        {
            Become(RunState.Building);
            if (!await BuildAsync(ProjectBuild.Build, cancellationToken))
            {
                Fail($"cannot start: {_project.ProjectPath} does not build");
                return null;
            }
        }
        if (await _build.FindAssemblyAsync(Context.Launcher, cancellationToken) is not { } assembly || !File.Exists(assembly))
        {
            Fail($"cannot start: {_project.ProjectPath} is not built in the configuration {Context.Build.Configuration}");
            return null;
        }
        return new ProcessCommand(Executables.Dotnet, [assembly], Path.GetDirectoryName(_project.ProjectPath)!)
        {
            Environment = await EnvironmentAsync(cancellationToken),
            Unset = HostOnly,
        };
    }

    protected override async Task<string?> ProbeAsync(CancellationToken cancellationToken)
    {
        foreach (var check in Resource.Annotations.OfType<HttpHealthAnnotation>())
        {
            var url = new Uri(new Uri(new EndpointReference((IResourceWithEndpoints)Resource, check.EndpointName ?? DefaultEndpoint).Url), check.Path);
            try
            {
                using var answer = await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
                if ((int)answer.StatusCode != check.StatusCode)
                {
                    return $"{url} answers {(int)answer.StatusCode}";
                }
            }
            catch (Exception exception) when (exception is HttpRequestException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                return $"{url} does not answer";
            }
        }
        return null;
    }

    /// <summary>A changed source that compiles: until then the old process serves on.</summary>
    protected override async Task ReplacementAsync(CancellationToken cancellationToken)
    {
        if (!_reloads)
        {
            await base.ReplacementAsync(cancellationToken);
        }
        var sources = new SourceWatcher(_project.ProjectPath, Context.Time);
        while (true)
        {
            await sources.ChangedAsync(cancellationToken);
            Context.Terminal.Say("has changed: compiling", Name);
            if (await BuildAsync(ProjectBuild.Compile, cancellationToken))
            {
                return;
            }
            Context.Terminal.Say("does not compile: the running process stays", Name);
        }
    }

    protected override async Task ReplaceAsync(CancellationToken cancellationToken)
    {
        Become(RunState.Building);
        await BuildAsync(ProjectBuild.Build, cancellationToken);
    }

    private string DefaultEndpoint => Resource.FindEndpoint("https") is null ? "http" : "https";

    private async Task<bool> BuildAsync(string target, CancellationToken cancellationToken)
    {
        await Context.Building.WaitAsync(cancellationToken);
        try
        {
            return await _build.RunAsync(target, Context.Launcher, line => Context.Terminal.Line(Name, line), cancellationToken);
        }
        finally
        {
            Context.Building.Release();
        }
    }

    /// <summary>Defaults first, the launch profile where nothing is set, then what the model says, in its order.</summary>
    private async Task<Dictionary<string, string>> EnvironmentAsync(CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string>
        {
            ["OTEL_SERVICE_NAME"] = Name,
            ["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={Guid.NewGuid():N}"[..28],
            ["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory",
            ["LOGGING__CONSOLE__FORMATTERNAME"] = "simple",
            ["LOGGING__CONSOLE__FORMATTEROPTIONS__SINGLELINE"] = "true",
        };
        if (Context.Terminal.HasColour)
        {
            environment["DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION"] = "true";
        }
        AddTelemetry(environment);
        var urls = _endpoints.Where(endpoint => endpoint.IsHttp).Select(endpoint => $"{endpoint.UriScheme}://localhost:{endpoint.AllocatedPort}").ToArray();
        if (urls.Length > 0)
        {
            environment["ASPNETCORE_URLS"] = string.Join(';', urls);
        }
        if (Resource.FindEndpoint("https") is { } secure)
        {
            environment["ASPNETCORE_HTTPS_PORT"] = $"{secure.AllocatedPort}";
        }
        foreach (var endpoint in _endpoints.Where(endpoint => endpoint.PortVariable is not null))
        {
            environment[endpoint.PortVariable!] = $"{endpoint.AllocatedPort}";
        }
        foreach (var profile in Resource.Annotations.OfType<LaunchProfileAnnotation>())
        {
            environment.TryAdd("DOTNET_LAUNCH_PROFILE", profile.Name);
            foreach (var (name, value) in profile.Environment)
            {
                environment.TryAdd(name, value);
            }
        }
        foreach (var annotation in Resource.Annotations.OfType<EnvironmentAnnotation>())
        {
            await annotation.Apply(environment, cancellationToken);
        }
        if (!environment.ContainsKey("ASPNETCORE_ENVIRONMENT"))
        {
            environment.TryAdd("DOTNET_ENVIRONMENT", host.EnvironmentName);
        }
        return environment;
    }

    /// <summary>There is no dashboard here: telemetry goes out only where the host was told of a collector.</summary>
    private void AddTelemetry(Dictionary<string, string> environment)
    {
        if (configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] is { Length: > 0 } grpc)
        {
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = grpc;
            environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc";
        }
        else if (configuration["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] is { Length: > 0 } plain)
        {
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = plain;
            environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        }
        if (host.IsDevelopment())
        {
            environment["OTEL_BLRP_SCHEDULE_DELAY"] = "1000";
            environment["OTEL_BSP_SCHEDULE_DELAY"] = "1000";
            environment["OTEL_METRIC_EXPORT_INTERVAL"] = "1000";
            environment["OTEL_TRACES_SAMPLER"] = "always_on";
            environment["OTEL_METRICS_EXEMPLAR_FILTER"] = "trace_based";
        }
    }
}
