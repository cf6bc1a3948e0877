using System.Collections.Concurrent;
using System.Text.Json;
using ImageApi.Store;

namespace ImageApi.Origins.Dicomweb;

/// <summary>The profiles of DICOMweb origins: a small JSON file each, beside the store.</summary>
internal sealed class PeerProfiles(StoreFolder store, ILogger<PeerProfiles> logger)
{
    private const int MaxBytes = 64 << 10;

    private readonly ConcurrentDictionary<string, PeerProfile> _profiles = new(StringComparer.Ordinal);

    /// <summary>The origin's profile, or the default one.</summary>
    public PeerProfile Find(string origin) => _profiles.GetOrAdd(origin, static (name, self) => self.Read(name), this);

    /// <summary>Keeps a profile; it is used from now on.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void Save(string origin, PeerProfile profile)
    {
        var path = PathOf(origin);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(profile, PeerProfileJson.Default.PeerProfile));
        File.Move(temporary, path, overwrite: true);
        _profiles[origin] = profile;
    }

    private PeerProfile Read(string origin)
    {
        var path = PathOf(origin);
        try
        {
            if (!File.Exists(path) || new FileInfo(path).Length > MaxBytes) return PeerProfile.Default;
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), PeerProfileJson.Default.PeerProfile) ?? PeerProfile.Default;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            logger.ProfileUnreadable(origin, exception);
            return PeerProfile.Default;
        }
    }

    // Names of origins are letters, digits, '-' and '_': each is a file's name as it is.
    private string PathOf(string origin) => Path.Combine(store.Path, StoreLayout.OriginsFolder, origin + ".json");
}
