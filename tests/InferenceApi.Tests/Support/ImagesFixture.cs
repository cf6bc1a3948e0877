using Platform.Tests.Shared;

namespace InferenceApi.Tests.Support;

/// <summary>The real ImageApi as a process over a folder of synthetic images, for the tests of one class.</summary>
public sealed class ImagesFixture : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private ServiceProcess? _imageApi;

    public string Origin => _imageApi!.Origin;

    /// <summary>The folder that ImageApi watches.</summary>
    public string Images { get; private set; } = "";

    public async Task InitializeAsync()
    {
        Images = Path.GetDirectoryName(_folder.Combine("images", "x"))!;
        foreach (var image in CtImages.All) image.Save(Path.Combine(Images, image.InstanceUid + ".dcm"));
        _imageApi = await ServiceProcess.StartAsync("ImageApi", new Dictionary<string, string?>
        {
            ["ImageApi__Store__Path"] = Path.GetDirectoryName(_folder.Combine("store", "x")),
            ["ImageApi__Demo__Enabled"] = "false",
            ["ImageApi__Origins__tests__Kind"] = "folder",
            ["ImageApi__Origins__tests__Path"] = Images,
            ["TieredCache__Disk__Path"] = "",
            ["HOME"] = Path.GetDirectoryName(_folder.Combine("home", "x")),
            ["ConnectionStrings__cache"] = null,
        });
        using var http = new HttpClient { BaseAddress = _imageApi.Address };
        for (var i = 0; !(await http.GetAsync($"dicomweb/studies/{CtImages.Study}/series/{CtImages.Series}/instances/{CtImages.All[^1].InstanceUid}/metadata")).IsSuccessStatusCode; i++)
        {
            if (i == 200) throw new InvalidOperationException($"ImageApi does not have the images after 20 s:\n{_imageApi.Output}");
            await Task.Delay(100);
        }
    }

    public async Task DisposeAsync()
    {
        if (_imageApi is not null) await _imageApi.DisposeAsync();
        _folder.Dispose();
    }
}
