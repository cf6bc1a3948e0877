using System.Diagnostics;
using PerfTests.Client;
using PerfTests.Versus;

namespace PerfTests.Peers;

/// <summary>nginx in two roles: frames as files (the floor of what serving bytes costs) and proxy_cache before their origin.</summary>
internal static class Nginx
{
    public static Task<int> RunAsync(string folder, int staticPort, int cachePort, string origin, string? seriesUid, int frames, int workers, string? accept, CancellationToken cancellationToken)
    {
        var target = Target.Parse([$"orthanc={origin}"], [], [], [], accept is null ? [] : [$"orthanc={accept}"]).Single();
        var root = Path.Combine(folder, "static");
        Export(target, SeriesPaths.Find(target, seriesUid, frames), root);
        foreach (var name in (string[])["cache", "temp"]) Directory.CreateDirectory(Path.Combine(folder, name));
        var configuration = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(configuration, $$"""
            worker_processes {{workers}};
            daemon off;
            pid {{folder}}/nginx.pid;
            error_log stderr;
            {{(Environment.UserName == "root" ? "user root;" : "")}}
            events { worker_connections 1024; }
            http {
              access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000;
              open_file_cache max=10000 inactive=60s; default_type application/octet-stream;
              client_body_temp_path {{folder}}/temp/body; proxy_temp_path {{folder}}/temp/proxy; fastcgi_temp_path {{folder}}/temp/fastcgi;
              uwsgi_temp_path {{folder}}/temp/uwsgi; scgi_temp_path {{folder}}/temp/scgi;
              proxy_cache_path {{folder}}/cache levels=1:2 keys_zone=frames:50m max_size=4g inactive=60m use_temp_path=off;
              upstream origin { server {{target.Endpoint.Authority}}; keepalive 16; }
              server { listen 127.0.0.1:{{staticPort}}; root {{root}}; location = / { return 204; } }
              server { listen 127.0.0.1:{{cachePort}};
                location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host {{target.Endpoint.Authority}};
                  proxy_cache frames; proxy_cache_key "$request_uri|$http_accept"; proxy_cache_valid 200 60m; proxy_cache_lock on;
                  proxy_ignore_headers Cache-Control Expires Set-Cookie Vary; } }
            }
            """);
        return PeerProcess.RunAsync(new ProcessStartInfo("nginx", ["-c", configuration, "-p", folder]), $"http://127.0.0.1:{staticPort}/", Path.Combine(folder, "nginx.log"),
            $"nginx-static=http://127.0.0.1:{staticPort}{target.Endpoint.BasePath} nginx-cache=http://127.0.0.1:{cachePort}{target.Endpoint.BasePath}", cancellationToken);
    }

    private static void Export(Target origin, SeriesPaths series, string root)
    {
        using var connection = new HttpConnection(origin.Endpoint);
        foreach (var path in series.Frames)
        {
            var (response, body, contentType) = SeriesPaths.FetchWhole(connection, origin.Get(path, origin.FrameAccept));
            if (response.Status != 200) throw new InvalidDataException($"The origin answers {response.Status} to {path}.");
            var file = root + origin.Endpoint.BasePath + path;
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, Multipart.TryUnwrap(body, contentType, out var part) ? part.ToArray() : body);
        }
    }
}
