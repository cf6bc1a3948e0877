using PerfTests.Measuring;

namespace PerfTests.Tests;

public class HdrRecorderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void GetPercentile_ManyValues_IsWithinAThousandthOfTheExactOne(int seed)
    {
        var random = new Random(seed);
        var recorder = new HdrRecorder();
        var values = new long[200_000];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (long)Math.Exp(random.NextDouble() * 25);      // nanoseconds to a minute
            recorder.Record(values[i]);
        }

        Array.Sort(values);
        foreach (var percent in (double[])[0, 1, 25, 50, 90, 99, 99.9, 99.99, 100])
        {
            var exact = values[Math.Max(0, (int)Math.Ceiling(percent / 100 * values.Length) - 1)];
            Assert.InRange(recorder.GetPercentile(percent), exact, exact * 1.001 + 1);
        }

        Assert.Equal((values.Length, values[0], values[^1]), (recorder.Count, recorder.MinNanoseconds, recorder.MaxNanoseconds));
        Assert.Equal(values.Average(), recorder.MeanNanoseconds, values.Average() * 1e-9);
    }

    [Fact]
    public void GetPercentile_SmallValues_AreExact()
    {
        var recorder = new HdrRecorder();
        for (var i = 1; i <= 100; i++) recorder.Record(i);
        Assert.Equal((50, 99, 100), (recorder.GetPercentile(50), recorder.GetPercentile(99), recorder.GetPercentile(100)));
    }

    [Fact]
    public void Record_EveryPowerOfTwoAndItsNeighbours_FallsIntoABucketAtLeastAsLarge()
    {
        for (var bit = 0; bit < 42; bit++)
        {
            foreach (var delta in (int[])[-1, 0, 1])
            {
                var value = (1L << bit) + delta;
                var recorder = new HdrRecorder();
                recorder.Record(0);
                recorder.Record(value);
                recorder.Record(1L << 42);
                Assert.InRange(recorder.GetPercentile(60), value, value * 1.001);
            }
        }
    }

    [Fact]
    public void Record_OutOfRange_IsClamped()
    {
        var recorder = new HdrRecorder();
        recorder.Record(-5);
        recorder.Record(long.MaxValue);
        Assert.Equal((0, (1L << 42) - 1), (recorder.MinNanoseconds, recorder.MaxNanoseconds));
    }

    [Fact]
    public void GetPercentile_Empty_IsZero() => Assert.Equal(0, new HdrRecorder().GetPercentile(99));

    [Fact]
    public void Add_Another_IsAsIfOneHadRecordedAll()
    {
        var (one, two, all) = (new HdrRecorder(), new HdrRecorder(), new HdrRecorder());
        var random = new Random(3);
        for (var i = 0; i < 10_000; i++)
        {
            var value = random.NextInt64(1, 1_000_000_000);
            (i % 3 == 0 ? one : two).Record(value);
            all.Record(value);
        }

        one.Add(two);
        one.Add(new HdrRecorder());
        foreach (var percent in (double[])[0, 10, 50, 99, 100]) Assert.Equal(all.GetPercentile(percent), one.GetPercentile(percent));
        Assert.Equal((all.Count, all.MinNanoseconds, all.MaxNanoseconds), (one.Count, one.MinNanoseconds, one.MaxNanoseconds));
    }
}
