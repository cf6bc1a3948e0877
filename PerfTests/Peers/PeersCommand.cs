using System.CommandLine;

namespace PerfTests.Peers;

/// <summary><c>peers</c>: starts the servers that we are compared with, on loopback, until Ctrl+C.</summary>
internal static class PeersCommand
{
    public static Command Create()
    {
        var folder = new Option<DirectoryInfo>("--folder") { Description = "Where the peer keeps its data and its log.", Required = true };

        var port = new Option<int>("--port") { Description = "Orthanc's HTTP port.", DefaultValueFactory = _ => 18042 };
        var orthanc = new Command("orthanc", "Orthanc with DICOMweb, its own storage, no authentication.") { folder, port };
        orthanc.SetAction((parse, cancellationToken) => Orthanc.RunAsync(parse.GetValue(folder)!.FullName, parse.GetValue(port), cancellationToken));

        var staticPort = new Option<int>("--static-port") { Description = "Port that serves exported files.", DefaultValueFactory = _ => 18080 };
        var cachePort = new Option<int>("--cache-port") { Description = "Port that serves the origin through proxy_cache.", DefaultValueFactory = _ => 18081 };
        var origin = new Option<string>("--origin") { Description = "The DICOMweb root to export frames from and to cache.", Required = true };
        var series = new Option<string?>("--series") { Description = "The series whose frames are exported; the largest without it." };
        var frames = new Option<int>("--frames") { Description = "At most so many.", DefaultValueFactory = _ => 200 };
        var workers = new Option<int>("--workers") { Description = "nginx workers.", DefaultValueFactory = _ => 1 };
        var accept = new Option<string?>("--accept") { Description = "The media type to export frames as, such as image/jphc;transfer-syntax=1.2.840.10008.1.2.4.202 of us; as stored without it." };
        var nginx = new Command("nginx", "nginx: the frames of a series as static files, and proxy_cache before their origin.") { folder, staticPort, cachePort, origin, series, frames, workers, accept };
        nginx.SetAction((parse, cancellationToken) => Nginx.RunAsync(parse.GetValue(folder)!.FullName, parse.GetValue(staticPort), parse.GetValue(cachePort),
            parse.GetValue(origin)!, parse.GetValue(series), parse.GetValue(frames), parse.GetValue(workers), parse.GetValue(accept), cancellationToken));

        return new Command("peers", "Start a server to compare with.") { new Command("start", "Start one and stay until Ctrl+C.") { orthanc, nginx } };
    }
}
