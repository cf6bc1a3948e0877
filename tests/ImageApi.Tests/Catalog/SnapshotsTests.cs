using ImageApi.Catalog;
using ImageApi.Origins;

namespace ImageApi.Tests.Catalog;

public sealed class SnapshotsTests
{
    [Fact]
    public void Load_CommitWhileReading_IsNotKept()
    {
        var snapshots = new Snapshots(1000);
        var key = new SeriesRef("1", "1.1");
        var changes = new CatalogChanges();
        changes.Series.Add(key);

        var read = snapshots.Load(key, 0, (_, _) =>
        {
            snapshots.Forget(changes);   // a commit after the database was read and before the answer is there
            return Series(key);
        });

        Assert.NotNull(read);
        Assert.False(snapshots.TryGet(key, out _));
    }

    [Fact]
    public void Load_MoreThanTheBound_ForgetsTheLeastUsed()
    {
        var snapshots = new Snapshots(100);
        for (var i = 0; i < 200; i++)
        {
            var key = new SeriesRef("1", $"1.{i}");
            snapshots.Load(key, 0, (series, _) => Series(series));
            Assert.True(snapshots.TryGet(key, out _));   // what was just read is never the victim
        }
        var kept = Enumerable.Range(0, 200).Count(i => snapshots.TryGet(new SeriesRef("1", $"1.{i}"), out _));
        Assert.InRange(kept, 1, 12);   // each counts 8 and its instances
    }

    private static SeriesEntry Series(SeriesRef key) => new(key.StudyUid, key.SeriesUid, null, null, null, default, [], null);
}
