using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ServiceDefaults.Tests;

public sealed class TelemetryTests
{
    [Fact]
    public async Task Collector_Configured_ReceivesAllSignalsWithoutPatientsOrUids()
    {
        var received = new ConcurrentDictionary<string, string>();
        await using var collector = await TestService.StartAsync(app => app.MapPost("/v1/{signal}", async (string signal, HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            var text = Encoding.Latin1.GetString(body.ToArray());
            received.AddOrUpdate(signal, text, (_, before) => before + text);
            return Results.Ok();
        }));
        var service = await TestService.StartAsync(static app => app.MapGet("/studies/{study}", static (string study) => "ok"), new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_SERVICE_NAME"] = "observed",
        });
        await service.Client.GetStringAsync("/studies/1.2.840.99?PatientName=Doe^John");
        await service.DisposeAsync(); // flushes

        Assert.Contains("GET /studies/{study}", received["traces"]);
        Assert.Contains("observed", received["traces"]);
        Assert.Contains("http.server.request.duration", received["metrics"]);
        Assert.Contains("in ", received["logs"]);
        foreach (var (_, text) in received)
        {
            Assert.DoesNotContain("Doe", text);
            Assert.DoesNotContain("1.2.840.99", text);
        }
    }
}
