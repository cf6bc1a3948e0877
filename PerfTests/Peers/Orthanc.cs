using System.Diagnostics;
using System.Text.Json;

namespace PerfTests.Peers;

/// <summary>Orthanc with its DICOMweb plugin, as Debian packages them.</summary>
internal static class Orthanc
{
    public static Task<int> RunAsync(string folder, int port, CancellationToken cancellationToken)
    {
        var database = Directory.CreateDirectory(Path.Combine(folder, "db")).FullName;
        var configuration = Path.Combine(folder, "orthanc.json");
        File.WriteAllText(configuration, JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["Name"] = "peer",
            ["StorageDirectory"] = database,
            ["IndexDirectory"] = database,
            ["Plugins"] = new[] { "/usr/share/orthanc/plugins/libOrthancDicomWeb.so" },
            ["HttpPort"] = port,
            ["RemoteAccessAllowed"] = false,
            ["AuthenticationEnabled"] = false,
            ["DicomServerEnabled"] = false,
            ["HttpCompressionEnabled"] = false,
            ["OrthancExplorerEnabled"] = false,
            ["WebDavEnabled"] = false,
            ["KeepAlive"] = true,
            ["TcpNoDelay"] = true,
            ["DicomWeb"] = new Dictionary<string, object> { ["Enable"] = true, ["Root"] = "/dicom-web/" },
        }));
        var url = $"http://127.0.0.1:{port}/dicom-web";
        return PeerProcess.RunAsync(new ProcessStartInfo("Orthanc", [configuration]), url + "/studies", Path.Combine(folder, "orthanc.log"), $"orthanc={url}", cancellationToken);
    }
}
