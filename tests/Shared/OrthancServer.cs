using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Platform.Tests.Shared;

/// <summary>
/// An Orthanc of a test's own with its DICOMweb plugin, on a free loopback port; can be killed and started again with what it holds. Guard the test with
/// <c>[ToolFact("Orthanc")]</c>.
/// </summary>
public sealed class OrthancServer : IAsyncDisposable
{
    private const string Plugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";

    private readonly TempFolder _folder = new();
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(30) };
    private Process? _process;

    private OrthancServer(int port) => Port = port;

    public int Port { get; }

    /// <summary>Of its own API, with a slash at the end.</summary>
    public Uri Address => new($"http://127.0.0.1:{Port}/");

    /// <summary>Of DICOMweb, without a slash at the end.</summary>
    public string DicomwebUrl => $"http://127.0.0.1:{Port}/dicom-web";

    public static async Task<OrthancServer> StartAsync()
    {
        for (var attempt = 0; ; attempt++)
        {
            var server = new OrthancServer(FindFreePort());
            try
            {
                await server.StartAgainAsync();
                return server;
            }
            catch (InvalidOperationException) when (attempt < 5)
            {
                await server.DisposeAsync();      // another process was faster to the port
            }
        }
    }

    /// <summary>Starts it on its port after <see cref="KillAsync"/>, with what it held.</summary>
    public async Task StartAgainAsync()
    {
        var database = _folder.Combine("db");
        var configuration = _folder.Combine("orthanc.json");
        await File.WriteAllTextAsync(configuration, JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["Name"] = "test",
            ["StorageDirectory"] = database,
            ["IndexDirectory"] = database,
            ["Plugins"] = new[] { Plugin },
            ["HttpPort"] = Port,
            ["RemoteAccessAllowed"] = false,
            ["AuthenticationEnabled"] = false,
            ["DicomServerEnabled"] = false,
            ["HttpCompressionEnabled"] = false,
            ["OverwriteInstances"] = true,
            ["KeepAlive"] = true,
            ["DicomWeb"] = new Dictionary<string, object> { ["Enable"] = true, ["Root"] = "/dicom-web/" },
        }));
        _process = Process.Start(new ProcessStartInfo(ToolPath.Find("Orthanc")!, [configuration]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        for (var waited = 0; waited < 600; waited++)
        {
            if (_process.HasExited) throw new InvalidOperationException("Orthanc did not start.");
            try
            {
                using var answer = await _client.GetAsync(DicomwebUrl + "/studies");
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
            }
            await Task.Delay(50);
        }
        throw new InvalidOperationException("Orthanc does not answer.");
    }

    /// <summary>Stores a Part 10 file by Orthanc's own API; gives Orthanc's name of the instance.</summary>
    public async Task<string> StoreAsync(byte[] file)
    {
        using var answer = await _client.PostAsync(new Uri(Address, "instances"), new ByteArrayContent(file));
        answer.EnsureSuccessStatusCode();
        using var json = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync());
        return json.RootElement.GetProperty("ID").GetString()!;
    }

    /// <summary>Removes an instance by Orthanc's name of it.</summary>
    public async Task DeleteAsync(string instance)
    {
        using var answer = await _client.DeleteAsync(new Uri(Address, "instances/" + instance));
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>The file as Orthanc holds it.</summary>
    public Task<byte[]> FileAsync(string instance) => _client.GetByteArrayAsync(new Uri(Address, $"instances/{instance}/file"));

    /// <summary>Ends it at once, as a crash would.</summary>
    public async Task KillAsync()
    {
        if (_process is null) return;
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _client.Dispose();
        _folder.Dispose();
    }

    private static int FindFreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
