using ImageApi.Tests.Support;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Origins.Dicomweb;

/// <summary>One Orthanc with the synthetic studies, shared by the tests that do not change what it holds. Not started where there is none.</summary>
public sealed class OrthancFixture : IAsyncLifetime
{
    internal OrthancServer Orthanc { get; private set; } = null!;

    /// <summary>Orthanc's names of the instances by SOP Instance UID.</summary>
    internal Dictionary<string, string> Names { get; } = [];

    public async Task InitializeAsync()
    {
        if (ToolPath.Find("Orthanc") is null) return;
        Orthanc = await OrthancServer.StartAsync();
        foreach (var builder in All) Names[builder.InstanceUid] = await Orthanc.StoreAsync(builder.Build());
    }

    public async Task DisposeAsync()
    {
        if (Orthanc is not null) await Orthanc.DisposeAsync();
    }

    internal static IEnumerable<DicomBuilder> All =>
    [
        .. Enumerable.Range(1, SyntheticStudies.SliceCount).Select(SyntheticStudies.Slice),
        SyntheticStudies.Native, SyntheticStudies.Rle, SyntheticStudies.JpegLs, SyntheticStudies.Implicit, SyntheticStudies.Deflated, SyntheticStudies.Report, SyntheticStudies.Other,
    ];

    /// <summary>An ImageApi whose origin <c>pacs1</c> is at an address, and which has no images of its own.</summary>
    internal static Task<ImageApiHost> StartApiAsync(string url, params (string Name, string Value)[] settings) => ImageApiHost.StartAsync(static _ => { },
    [
        ("ImageApi:Origins:pacs1:Kind", "dicomweb"),
        ("ImageApi:Origins:pacs1:Url", url),
        ("ImageApi:Search:OriginTimeout", "00:00:30"),   // a busy machine is no reason to leave an origin out
        ("ImageApi:Prefetch:Enabled", "false"),   // what is asked of the PACS is counted
        .. settings,
    ]);
}

[CollectionDefinition(Name)]
public sealed class OrthancCollection : ICollectionFixture<OrthancFixture>
{
    public const string Name = "Orthanc";
}
