using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using InferenceApi.Batching;
using InferenceApi.Predictions;
using InferenceApi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Platform.Onnx;
using Platform.Tests.Shared;

namespace InferenceApi.Tests.Batching;

public class BatchQueueTests
{
    private static readonly OnnxSessionOptions Cpu = new() { Device = "cpu", IntraOpThreads = 1 };
    private static readonly RunPlan Single = new(1, 1, 1, TimeSpan.Zero);
    private static readonly RunPlan Eight = Single with { MaxBatch = 8 };

    [RuntimeFact]
    public async Task RunAsync_ManyAtOnce_ShareRunsAndGetTheirOwnResults()
    {
        using var session = OnnxSession.Load(OnnxModelBuilder.Work(256, 200), Cpu); // long enough for the others to come
        var batches = new ConcurrentQueue<int>();
        using var listener = ListenToBatches(batches, out var metrics);
        await using var queue = new BatchQueue(session, Eight, new BatchingOptions(), TimeProvider.System, metrics, "work");

        var results = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => RunAsync(queue, i, 256, samples: 1 + i % 2)));

        // The model gives means: of a row that is one number throughout, that number.
        for (var i = 0; i < 24; i++)
        {
            Assert.Equal(256 * (1 + i % 2), results[i].Length);
            Assert.All(results[i], value => Assert.Equal(i, value, 0.01 * Math.Max(1, i)));
        }
        Assert.Equal(24, batches.Sum());
        Assert.InRange(batches.Count, 4, 16);
        Assert.True(batches.Max() > 1);
    }

    [RuntimeFact]
    public async Task RunAsync_OneThatFails_LeavesOthersTheirResults()
    {
        // An index beyond the table is the only way to fail here.
        using var session = OnnxSession.Load(new OnnxModelBuilder().Input("i", OnnxModelBuilder.Int64, "N", 1).Output("y", OnnxModelBuilder.Float, "N", 1)
            .Floats("table", [10, 11, 12, 13], 4).Node("Gather", ["table", "i"], ["y"]).Build(), Cpu);
        await using var queue = new BatchQueue(session, Eight, new BatchingOptions(), TimeProvider.System, Services.Metrics, "gather");

        var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(async () =>
        {
            using var input = Tensor.Rent(TensorType.Int64, 1, 1);
            input.AsSpan<long>()[0] = i % 5;
            var outputs = new Tensor?[1];
            try
            {
                await queue.RunAsync([input], outputs, "test", CancellationToken.None);
                using var y = outputs[0]!;
                return y.AsSpan<float>()[0];
            }
            catch (OnnxRunException)
            {
                return -1;
            }
        })));

        for (var i = 0; i < 40; i++) Assert.Equal(i % 5 == 4 ? -1 : 10 + i % 5, results[i]);
    }

    [RuntimeFact]
    public async Task RunAsync_QueueIsFull_SaysWhenToComeAgain()
    {
        using var session = OnnxSession.Load(OnnxModelBuilder.Work(512, 400), Cpu);
        await using var queue = new BatchQueue(session, Single, new BatchingOptions { QueueCapacity = 4, QueueCapacityPerCaller = 3 }, TimeProvider.System, Services.Metrics, "work");
        using var stop = new CancellationTokenSource();
        var first = RunAsync(queue, 1, 512, samples: 128, cancellationToken: stop.Token); // a second or so, if nobody ended it
        await UntilAsync(() => queue.Waiting == 0);
        var waiting = Enumerable.Range(0, 3).Select(_ => RunAsync(queue, 1, 512, cancellationToken: stop.Token)).ToList();

        var greedy = await Assert.ThrowsAsync<BusyException>(() => RunAsync(queue, 1, 512));
        waiting.Add(RunAsync(queue, 1, 512, "other", cancellationToken: stop.Token));
        await Assert.ThrowsAsync<BusyException>(() => RunAsync(queue, 1, 512, "other"));

        Assert.True(greedy.RetryAfter >= TimeSpan.FromSeconds(1));
        await stop.CancelAsync();
        foreach (var task in waiting.Append(first)) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.Equal(0, queue.Waiting);
    }

    [RuntimeFact]
    public async Task RunAsync_CancelledWhileItWaits_LeavesTheQueueAtOnce()
    {
        using var session = OnnxSession.Load(OnnxModelBuilder.Work(512, 600), Cpu);
        await using var queue = new BatchQueue(session, Single, new BatchingOptions(), TimeProvider.System, Services.Metrics, "work");
        using var stopFirst = new CancellationTokenSource();
        using var stopSecond = new CancellationTokenSource();
        var first = RunAsync(queue, 1, 512, samples: 64, cancellationToken: stopFirst.Token);
        await UntilAsync(() => queue.Waiting == 0);
        var second = RunAsync(queue, 2, 512, cancellationToken: stopSecond.Token);
        var third = RunAsync(queue, 3, 512);

        await stopSecond.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.False(first.IsCompleted);
        Assert.Equal(1, queue.Waiting);
        await stopFirst.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(3, (await third)[0], 0.1);
    }

    [RuntimeFact]
    public async Task RunAsync_OneCallerFillsTheQueue_AnotherDoesNotWaitBehind()
    {
        using var session = OnnxSession.Load(OnnxModelBuilder.Work(384, 60), Cpu);
        await using var queue = new BatchQueue(session, Single, new BatchingOptions(), TimeProvider.System, Services.Metrics, "work");
        var order = new ConcurrentQueue<string>();
        var crowd = Enumerable.Range(0, 20).Select(_ => Named("crowd")).ToArray();
        var guest = Named("guest");

        await Task.WhenAll(crowd.Append(guest));

        Assert.True(order.ToList().IndexOf("guest") <= 3, string.Join(' ', order));

        async Task Named(string caller)
        {
            await RunAsync(queue, 1, 384, caller);
            order.Enqueue(caller);
        }
    }

    [RuntimeFact]
    public async Task DisposeAsync_SomeRunAndSomeWait_EndsThemAll()
    {
        using var session = OnnxSession.Load(OnnxModelBuilder.Work(384, 60), Cpu);
        var queue = new BatchQueue(session, Single with { Workers = 2 }, new BatchingOptions(), TimeProvider.System, Services.Metrics, "work");
        var all = Enumerable.Range(0, 10).Select(_ => RunAsync(queue, 1, 384)).ToArray();

        await queue.DisposeAsync();

        foreach (var task in all)
        {
            try
            {
                Assert.Equal(1, (await task.WaitAsync(TimeSpan.FromSeconds(30)))[0], 0.1);
            }
            catch (BusyException)
            {
                // It was waiting.
            }
        }
        await Assert.ThrowsAsync<ObjectDisposedException>(() => RunAsync(queue, 1, 384));
    }

    private static async Task<float[]> RunAsync(BatchQueue queue, float value, int width, string caller = "test", int samples = 1, CancellationToken cancellationToken = default)
    {
        using var x = Tensor.Rent(TensorType.Float32, samples, width);
        x.AsSpan<float>().Fill(value);
        var outputs = new Tensor?[1];
        await queue.RunAsync([x], outputs, caller, cancellationToken);
        using var y = outputs[0]!;
        return y.AsSpan<float>().ToArray();
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var patience = TimeSpan.FromSeconds(30);
        for (var waited = TimeSpan.Zero; !condition(); waited += TimeSpan.FromMilliseconds(5))
        {
            Assert.True(waited < patience);
            await Task.Delay(5);
        }
    }

    private static MeterListener ListenToBatches(ConcurrentQueue<int> batches, out PredictionMetrics metrics)
    {
        var factory = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Scope == factory && instrument.Name == "platform.prediction.batch.size") self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((_, measurement, _, _) => batches.Enqueue(measurement));
        listener.Start();
        metrics = new PredictionMetrics(factory);
        return listener;
    }
}
