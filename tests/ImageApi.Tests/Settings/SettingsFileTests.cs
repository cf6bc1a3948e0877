using System.Text.Json.Serialization;
using ImageApi.Settings;
using Microsoft.Extensions.Logging.Abstractions;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Settings;

public sealed partial class SettingsFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_ThenRead_GivesTheSame()
    {
        var file = File("a/settings.json");
        Assert.Null(file.Read());
        file.Write(null);
        file.Write(new Document("first"));
        file.Write(new Document("second"));
        Assert.Equal("second", File("a/settings.json").Read()!.Word);
        file.Write(null);
        Assert.Null(file.Read());
        Assert.Empty(Directory.GetFiles(System.IO.Path.Combine(_folder.Path, "a")));
    }

    [Fact]
    public void Write_OnUnix_OnlyTheOwnerMayRead()
    {
        if (OperatingSystem.IsWindows()) return;
        var file = File("b/settings.json");
        file.Write(new Document("secret"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(file.Path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, System.IO.File.GetUnixFileMode(System.IO.Path.Combine(_folder.Path, "b")));
    }

    [Theory]
    [InlineData("{ \"word\": ")]
    [InlineData("[]")]
    [InlineData("")]
    public void Read_BrokenFile_IsMovedAsideAndCountsAsAbsent(string content)
    {
        var path = _folder.Combine("settings.json");
        System.IO.File.WriteAllText(path, content);
        Assert.Null(File("settings.json").Read());
        Assert.Equal(content, System.IO.File.ReadAllText(path + ".broken"));
        Assert.False(System.IO.File.Exists(path));
    }

    [Fact]
    public void Write_FolderCannotBeMade_ThrowsAndLeavesNothing()
    {
        System.IO.File.WriteAllText(_folder.Combine("taken"), "a file where the folder should be");
        Assert.ThrowsAny<IOException>(() => File("taken/settings.json").Write(new Document("x")));
    }

    private SettingsFile<Document> File(string name) => new(System.IO.Path.Combine(_folder.Path, name), DocumentJson.Default.Document, NullLogger.Instance);

    internal sealed record Document(string Word);

    [JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
    [JsonSerializable(typeof(Document))]
    internal sealed partial class DocumentJson : JsonSerializerContext;
}
