using System.Diagnostics;
using System.Globalization;
using ImageApi.Catalog;
using ImageApi.Origins;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Catalog;

public sealed class CatalogIndexerTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Reconcile_FilesOfAFolder_AreFoundInDisplayOrder()
    {
        for (var i = 1; i <= 5; i++) Instance(6 - i).Save(_folder.Combine("a", "sub", $"{i}.dcm"));
        await File.WriteAllTextAsync(_folder.Combine("a", "readme.txt"), "no DICOM");
        await using var fixture = await CatalogFixture.OpenAsync(_folder);

        var series = await fixture.Catalog.FindSeriesAsync(new SeriesRef("2.25.1000", "2.25.1000.1"), default);

        Assert.NotNull(series);
        Assert.Equal([1, 2, 3, 4, 5], series.Instances.Select(instance => instance.Number!.Value));
        Assert.True(series.Geometry is { IsRegular: true, Spacing: 1.25 });
        Assert.Equal("sub/5.dcm", series.Instances[0].Item.Path);
        Assert.Equal(1, fixture.Catalog.Status.Unparsed);
        Assert.Equal("2.25.1000", await fixture.Catalog.FindStudyByFolderAsync("sub", [], default));
        Assert.Null(await fixture.Catalog.FindInstanceAsync(new InstanceRef("2.25.1", "2.25.1000.1", "2.25.1000.1.1"), default));
        Assert.NotNull(await fixture.Catalog.FindInstanceAsync("2.25.1000.1.1", default));
    }

    [Fact]
    public async Task Watch_FileAppearsChangesAndVanishes_CatalogFollows()
    {
        await using var fixture = await CatalogFixture.OpenAsync(_folder);
        var path = Path.Combine(fixture.A, "1.dcm");

        Instance(1).Save(path);
        await fixture.UntilAsync(() => Find(fixture, 1) is not null);
        var before = Find(fixture, 1)!;

        Instance(1, rows: 32).Save(path);
        await fixture.UntilAsync(() => Find(fixture, 1) is { Rows: 32 });
        Assert.NotEqual(before.Content, Find(fixture, 1)!.Content);

        File.Delete(path);
        await fixture.UntilAsync(() => Find(fixture, 1) is null);
        Assert.Null(await fixture.Catalog.FindStudyAsync("2.25.1000", default));
    }

    [Fact]
    public async Task Watch_FolderIsMoved_InstancesMoveWithIt()
    {
        Instance(1).Save(_folder.Combine("a", "old", "1.dcm"));
        await using var fixture = await CatalogFixture.OpenAsync(_folder);
        Directory.Move(Path.Combine(fixture.A, "old"), Path.Combine(fixture.A, "new"));
        await fixture.UntilAsync(() => Find(fixture, 1)?.Item.Path == "new/1.dcm");
    }

    [Fact]
    public async Task Reconcile_SameBytesInTwoPlaces_IsOneInstanceServedByTheFirst()
    {
        Instance(1).Save(_folder.Combine("b", "1.dcm"));
        Instance(1).Save(_folder.Combine("a", "z.dcm"));
        Instance(1).Save(_folder.Combine("a", "y.dcm"));
        await using var fixture = await CatalogFixture.OpenAsync(_folder);

        Assert.Equal(new FileLocation("a", new OriginItem("y.dcm")), LocationOf(Find(fixture, 1)!));
        Assert.Equal(1, fixture.Catalog.Status.InstanceCount);

        // The one that serves goes: another location takes over, and is another content.
        File.Delete(Path.Combine(fixture.A, "y.dcm"));
        await fixture.UntilAsync(() => LocationOf(Find(fixture, 1)!).Item.Path == "z.dcm");
        Directory.Delete(fixture.A, recursive: true);
        Directory.CreateDirectory(fixture.A);
        await fixture.ReconcileAsync();
        Assert.Equal("b", Find(fixture, 1)!.OriginName);
    }

    [Fact]
    public async Task Reconcile_SameUidOtherBytes_FirstIsKeptUntilItGoes()
    {
        Instance(1).Save(_folder.Combine("a", "1.dcm"));
        await using var fixture = await CatalogFixture.OpenAsync(_folder);
        Instance(1, rows: 32).Save(_folder.Combine("b", "0.dcm"));
        await fixture.UntilAsync(() => fixture.Catalog.Status.Conflicts == 1);
        Assert.Equal(16, Find(fixture, 1)!.Rows);

        File.Delete(Path.Combine(fixture.A, "1.dcm"));
        await fixture.UntilAsync(() => Find(fixture, 1) is { Rows: 32 });
        Assert.Equal(0, fixture.Catalog.Status.Conflicts);
    }

    [Fact]
    public async Task Reconcile_PatientCorrectedInEveryFile_StudyShowsTheCorrection()
    {
        for (var i = 1; i <= 3; i++) Instance(i).Save(_folder.Combine("a", $"{i}.dcm"));
        await using var fixture = await CatalogFixture.OpenAsync(_folder, run: false);
        await fixture.ReconcileAsync();
        for (var i = 1; i <= 3; i++) Instance(i).With(DicomTags.PatientName, "CORRECTED^NAME").Save(Path.Combine(fixture.A, $"{i}.dcm"));
        await fixture.ReconcileAsync();
        var page = await fixture.Catalog.QueryAsync(new CatalogQuery(CatalogLevel.Study) { Conditions = [new("00100010", CatalogMatch.Exact, "corrected^name")] }, default);
        Assert.Equal(1, page.Total);
    }

    [Fact]
    public async Task Heal_FileIsGoneBeforeTheWatcherTells_EntryLeaves()
    {
        Instance(1).Save(_folder.Combine("a", "1.dcm"));
        Instance(2).Save(_folder.Combine("a", "2.dcm"));
        await using var fixture = await CatalogFixture.OpenAsync(_folder, run: false);
        await fixture.ReconcileAsync();
        var content = (await fixture.Catalog.FindSeriesAsync("2.25.1000.1", default))!.Content;
        var entry = Find(fixture, 1)!;
        File.Delete(Path.Combine(fixture.A, "1.dcm"));

        await fixture.Catalog.HealAsync(entry, default);

        Assert.Null(Find(fixture, 1));
        var series = await fixture.Catalog.FindSeriesAsync("2.25.1000.1", default);
        Assert.Single(series!.Instances);
        Assert.NotEqual(content, series.Content);
    }

    [Fact]
    public async Task Open_UnchangedFiles_AreNotReadAgain()
    {
        for (var i = 1; i <= 20; i++) Instance(i).Save(_folder.Combine("a", $"{i}.dcm"));
        await using (var first = await CatalogFixture.OpenAsync(_folder)) Assert.Equal(20, first.Catalog.Status.InstanceCount);
        await using var second = await CatalogFixture.OpenAsync(_folder, run: false);
        Assert.Equal(20, second.Catalog.Status.InstanceCount);
        var generation = second.Catalog.Generation;
        await second.ReconcileAsync();
        Assert.Equal(generation, second.Catalog.Generation);
    }

    [Fact]
    public async Task Open_OriginIsNoLongerConfigured_ItsInstancesLeave()
    {
        Instance(1).Save(_folder.Combine("a", "1.dcm"));
        await using var fixture = await CatalogFixture.OpenAsync(_folder);
        await fixture.Catalog.KeepOriginsAsync(["b"], default);
        Assert.Null(Find(fixture, 1));
    }

    [Theory]
    [InlineData(0, "garbage in the header")]
    [InlineData(4096, "garbage in a page")]
    public async Task Open_DatabaseIsDamaged_IsSetAsideAndMadeAgain(int offset, string what)
    {
        _ = what;
        for (var i = 1; i <= 50; i++) Instance(i).Save(_folder.Combine("a", $"{i}.dcm"));
        await using (var first = await CatalogFixture.OpenAsync(_folder)) Assert.Equal(50, first.Catalog.Status.InstanceCount);
        var path = _folder.Combine("store", ".catalog", "catalog.db");
        var bytes = await File.ReadAllBytesAsync(path);
        new Random(1).NextBytes(bytes.AsSpan(offset, Math.Min(30_000, bytes.Length - offset)));
        await File.WriteAllBytesAsync(path, bytes);

        await using var second = await CatalogFixture.OpenAsync(_folder);

        Assert.True(File.Exists(path + ".damaged-1"));
        Assert.Equal(50, second.Catalog.Status.InstanceCount);
    }

    [Fact]
    public async Task Reconcile_TenThousandFiles_AreAllIndexedAndOpenedAgainQuickly()
    {
        var template = Instance(1).With(DicomTags.SeriesInstanceUID, "2.25.1000.00000").With(DicomTags.SOPInstanceUID, "2.25.1000.00000.00000").Build();
        for (var i = 0; i < 10_000; i++) await File.WriteAllBytesAsync(_folder.Combine("a", $"{i / 500:00}", $"{i:00000}.dcm"), Numbered(template, i));
        var watch = Stopwatch.StartNew();
        await using (var fixture = await CatalogFixture.OpenAsync(_folder, run: false))
        {
            await fixture.ReconcileAsync();
            Assert.Equal(10_000, fixture.Catalog.Status.InstanceCount);
        }
        var indexed = watch.Elapsed;
        watch.Restart();
        await using var again = await CatalogFixture.OpenAsync(_folder, run: false);
        Assert.Equal(10_000, again.Catalog.Status.InstanceCount);
        Console.WriteLine($"10,000 files indexed in {indexed.TotalSeconds:F2} s, opened again in {watch.Elapsed.TotalMilliseconds:F0} ms");
        Assert.True(indexed < TimeSpan.FromSeconds(60), $"Indexing took {indexed}.");   // a bound against the quadratic, not the target: machines of tests are shared
    }

    /// <summary>The template with another series and instance UID of the same length.</summary>
    private static byte[] Numbered(byte[] template, int number)
    {
        var bytes = (byte[])template.Clone();
        Replace("2.25.1000.00000.00000", string.Create(CultureInfo.InvariantCulture, $"2.25.1000.1{number / 100:0000}.1{number:0000}"));
        Replace("2.25.1000.00000", string.Create(CultureInfo.InvariantCulture, $"2.25.1000.1{number / 100:0000}"));
        return bytes;

        void Replace(string old, string with)
        {
            var find = System.Text.Encoding.ASCII.GetBytes(old);
            for (int at; (at = bytes.AsSpan().IndexOf(find)) >= 0;) System.Text.Encoding.ASCII.GetBytes(with).CopyTo(bytes, at);
        }
    }

    private static DicomBuilder Instance(int number, int rows = 16) => new() { Rows = rows, InstanceUid = $"2.25.1000.1.{number}", InstanceNumber = number };

    private static InstanceEntry? Find(CatalogFixture fixture, int number)
    {
        var found = fixture.Catalog.FindInstanceAsync(new InstanceRef("2.25.1000", "2.25.1000.1", $"2.25.1000.1.{number}"), default);
        return found.IsCompletedSuccessfully ? found.GetAwaiter().GetResult() : throw new InvalidOperationException("Look-ups complete at once.");
    }

    private static FileLocation LocationOf(InstanceEntry entry) => new(entry.OriginName, entry.Item);
}
