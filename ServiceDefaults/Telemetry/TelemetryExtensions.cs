using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace ServiceDefaults.Telemetry;

/// <summary>
/// Traces, metrics and logs over OTLP, where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names a collector; without one nothing is built,
/// so a service that is not observed pays nothing at start or per request.
/// </summary>
internal static class TelemetryExtensions
{
    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        var endpoint = builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"];
        if (string.IsNullOrWhiteSpace(endpoint)) return;

        // .NET 10 leaves the standard attributes off its server spans unless asked for them before the host is built.
        AppContext.SetSwitch("Microsoft.AspNetCore.Hosting.SuppressActivityOpenTelemetryData", false);

        var collector = new Collector(new Uri(endpoint), builder.Configuration["OTEL_EXPORTER_OTLP_PROTOCOL"]);
        var resource = ResourceBuilder.CreateDefault().AddService(
            builder.Configuration["OTEL_SERVICE_NAME"] ?? builder.Environment.ApplicationName);

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.SetResourceBuilder(resource);
            logging.IncludeFormattedMessage = true;
            logging.AddOtlpExporter(options => collector.Configure(options, "v1/logs"));
        });
        builder.Services.AddSingleton<IHostedService>(_ => new TelemetryService(
            Sdk.CreateTracerProviderBuilder()
                .SetResourceBuilder(resource)
                .AddSource("Microsoft.AspNetCore", "System.Net.Http", "Platform.*")
                .AddProcessor(new SpanScrubber())
                .AddOtlpExporter(options => collector.Configure(options, "v1/traces"))
                .Build(),
            Sdk.CreateMeterProviderBuilder()
                .SetResourceBuilder(resource)
                .AddMeter("Microsoft.AspNetCore.*", "System.Net.Http", "System.Runtime", "Platform.*")
                .AddOtlpExporter(options => collector.Configure(options, "v1/metrics"))
                .Build()));
    }

    private sealed record Collector(Uri Endpoint, string? Protocol)
    {
        public void Configure(OtlpExporterOptions options, string path)
        {
            var isHttp = string.Equals(Protocol, "http/protobuf", StringComparison.OrdinalIgnoreCase);
            options.Protocol = isHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
            // An end point set in code is taken as it is: over HTTP each signal needs its own path.
            options.Endpoint = isHttp ? new Uri(Endpoint, (Endpoint.AbsolutePath.TrimEnd('/') + "/" + path).TrimStart('/')) : Endpoint;
        }
    }
}
