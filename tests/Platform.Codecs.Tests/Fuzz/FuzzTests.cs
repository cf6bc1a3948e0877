using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using Platform.Tests.Shared;
using Xunit.Abstractions;

namespace Platform.Codecs.Tests.Fuzz;

/// <summary>
/// Every decoder over broken streams: pixels or the one exception come out, in bounded time and memory. The numbers of the streams are
/// their seeds; a failure names the number to repeat (PLATFORM_FUZZ_FIRST=n PLATFORM_FUZZ_COUNT=1) and the file that it left the stream in.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int MostFrameBytes = 4 << 20;
    private const long MostAllocated = 64 << 20;

    // Hundreds of times what such streams need, on a machine with more to do.
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(20);

    private static readonly int Count = Setting("PLATFORM_FUZZ_COUNT", 50_000);
    private static readonly int First = Setting("PLATFORM_FUZZ_FIRST", 0);

    [ToolFact("ojph_compress", "opj_compress", "dcmcjpeg", "cjpeg")]
    public async Task Decode_AnyMutation_GivesPixelsOrTheOneException()
    {
        var corpus = await Corpus.MakeAsync();
        foreach (var sample in corpus) Run(sample, sample.Stream, sample.Frame, CancellationToken.None);
        var (next, decoded, refused) = (First - 1, 0, 0);
        string? failure = null;
        var began = Stopwatch.GetTimestamp();

        var workers = Enumerable.Range(0, Math.Max(2, Environment.ProcessorCount)).Select(_ => new Worker()).ToList();
        foreach (var worker in workers)
        {
            worker.Thread = new Thread(() =>
            {
                while (Volatile.Read(ref failure) is null && Interlocked.Increment(ref next) is var number && number - First < Count)
                {
                    worker.Begin(number);
                    if (Try(corpus, number, out var isDecoded) is { } found) Interlocked.CompareExchange(ref failure, found, null);
                    Interlocked.Increment(ref isDecoded ? ref decoded : ref refused);
                    worker.End();
                }
            })
            { IsBackground = true };
            worker.Thread.Start();
        }

        // A decoder that does not even look at its cancellation token is told from the outside.
        while (workers.Any(worker => worker.Thread!.IsAlive) && Volatile.Read(ref failure) is null)
        {
            if (workers.FirstOrDefault(worker => worker.Elapsed > 2 * MostTime) is { } stuck) failure = $"number {stuck.Number} does not end";
            await Task.Delay(20);
        }
        Assert.True(failure is null, failure);
        output.WriteLine($"numbers {First} to {First + Count - 1} over {corpus.Count} streams: {decoded} decoded, {refused} refused, {Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s");
        Assert.True(Count < 1000 || (refused > Count / 4 && decoded > Count / 50), $"{decoded} decoded, {refused} refused: these are no mutations.");
    }

    /// <summary>Null, or what went wrong.</summary>
    private static string? Try(List<Sample> corpus, int number, out bool isDecoded)
    {
        isDecoded = false;
        var random = new Random(number);
        var sample = corpus[number % corpus.Count];
        var broken = Mutator.Mutate(sample.Stream, corpus[random.Next(corpus.Count)].Stream, random);
        if (sample.Name.StartsWith("png", StringComparison.Ordinal) && random.Next(4) > 0) Mutator.MendChecksums(broken);
        var frame = Expect(sample.Frame, broken, random);
        using var late = new CancellationTokenSource(MostTime);
        try
        {
            isDecoded = Run(sample, broken, frame, late.Token);
            return null;
        }
        catch (Exception exception)
        {
            var path = Path.Combine(Path.GetTempPath(), $"platform-fuzz-{number}.bin");
            File.WriteAllBytes(path, broken);
            return $"number {number}, {sample.Name}, {frame}, stream kept in {path}: {exception}";
        }
    }

    // What the data set says may be another lie, or repeat the stream's.
    private static FrameDescription Expect(FrameDescription frame, byte[] stream, Random random) => random.Next(8) switch
    {
        0 => frame with { Rows = ushort.MaxValue, Columns = ushort.MaxValue },
        1 => frame with { Rows = random.Next(1, 2000), Columns = random.Next(1, 2000) },
        2 or 3 when FindSize(stream) is var (rows, columns) => frame with { Rows = rows, Columns = columns },
        _ => frame,
    };

    // The size that a frame header (SOF, SOF55) or SIZ tells.
    private static (int Rows, int Columns)? FindSize(byte[] stream)
    {
        for (var i = 0; i + 20 < stream.Length; i++)
        {
            if (stream[i] != 0xFF) continue;
            if (stream[i + 1] is 0xC0 or 0xC1 or 0xC2 or 0xC3 or 0xF7) return (stream[i + 5] << 8 | stream[i + 6], stream[i + 7] << 8 | stream[i + 8]);
            if (stream[i + 1] == 0x51) return (stream[i + 12] << 8 | stream[i + 13], stream[i + 8] << 8 | stream[i + 9]);
        }
        return null;
    }

    /// <summary>True: pixels came out; false: the exception.</summary>
    private static bool Run(Sample sample, byte[] stream, FrameDescription frame, CancellationToken cancellationToken)
    {
        var pixels = new ArrayBufferWriter<byte>();
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            var expected = sample.Decode(stream, frame, pixels, new DecodeOptions { MaxFrameBytes = MostFrameBytes, AllowTruncated = stream.Length % 2 == 0 }, cancellationToken);
            Assert.Equal(expected, pixels.WrittenCount);
            return true;
        }
        catch (InvalidFrameException exception)
        {
            Assert.Equal(0, pixels.WrittenCount);
            Assert.InRange(exception.Offset, -1, stream.Length);
            return false;
        }
        finally
        {
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostAllocated);
        }
    }

    private static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    private sealed class Worker
    {
        private long _began;

        public Thread? Thread { get; set; }

        public int Number { get; private set; }

        public TimeSpan Elapsed => Volatile.Read(ref _began) is > 0 and var began ? Stopwatch.GetElapsedTime(began) : TimeSpan.Zero;

        public void Begin(int number)
        {
            Number = number;
            Volatile.Write(ref _began, Stopwatch.GetTimestamp());
        }

        public void End() => Volatile.Write(ref _began, 0);
    }
}
