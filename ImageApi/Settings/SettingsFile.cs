using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ImageApi.Settings;

/// <summary>
/// One JSON document of settings in a file of its own: read at the start, replaced as a whole by a rename, readable by its owner only.
/// A file that cannot be read is moved aside (<c>.broken</c>) and counts as absent: a damaged setting must not keep images from anyone.
/// </summary>
internal sealed class SettingsFile<T>(string path, JsonTypeInfo<T> form, ILogger logger) where T : class
{
    private const int MaxBytes = 1 << 20;

    public string Path => path;

    /// <summary>What the file says, or null when there is none that can be read.</summary>
    public T? Read()
    {
        try
        {
            if (!File.Exists(path)) return null;
            if (new FileInfo(path).Length > MaxBytes) throw new JsonException("The file is too large for settings.");
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), form);
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            logger.SettingsUnreadable(System.IO.Path.GetFileName(path), exception.GetType().Name);
            MoveAside();
            return null;
        }
    }

    /// <summary>Replaces the document, durably; null removes it. A crash leaves the old one or the new one.</summary>
    /// <exception cref="IOException">It could not be written; the old one stands.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public void Write(T? value)
    {
        if (value is null)
        {
            if (File.Exists(path)) File.Delete(path);   // deleting in a folder that is not there throws
            return;
        }
        SettingsFolder.Create(System.IO.Path.GetDirectoryName(path)!);
        var arriving = $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.tmp";
        try
        {
            using (var file = SettingsFolder.CreateFile(arriving))
            {
                JsonSerializer.Serialize(file, value, form);
                file.Flush(flushToDisk: true);
            }
            File.Move(arriving, path, overwrite: true);
        }
        catch
        {
            File.Delete(arriving);
            throw;
        }
    }

    private void MoveAside()
    {
        try
        {
            File.Move(path, path + ".broken", overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It stays where it is and is passed over again at the next start.
        }
    }
}

/// <summary>Folders and files that only their owner may read.</summary>
internal static class SettingsFolder
{
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public static FileStream CreateFile(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }
}
