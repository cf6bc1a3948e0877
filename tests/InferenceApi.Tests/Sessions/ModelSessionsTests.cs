using InferenceApi.Batching;
using InferenceApi.Tests.Support;
using Platform.Models;
using Platform.Onnx;
using Platform.Tests.Shared;

namespace InferenceApi.Tests.Sessions;

public class ModelSessionsTests
{
    [RuntimeFact]
    public async Task AcquireAsync_AHundredCallers_LoadOnce()
    {
        using var models = new ModelFolder().AddScale();
        await using var sessions = Services.Sessions(models);

        var leases = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(() => sessions.AcquireAsync(i % 2 == 0 ? "scale" : "SCALE", CancellationToken.None).AsTask())));

        Assert.Equal(1, sessions.Loads);
        Assert.Single(leases.Select(static lease => lease.Model).Distinct());
        foreach (var lease in leases) lease.Dispose();
        using var again = await sessions.AcquireAsync("scale", CancellationToken.None);
        Assert.Equal(1, sessions.Loads);
    }

    [RuntimeFact]
    public async Task AcquireAsync_BeyondTheBudget_UnloadsWhatWasNotUsedForLongest()
    {
        using var models = new ModelFolder();
        foreach (var name in new[] { "a", "b", "c" }) models.Add(name, OnnxModelBuilder.Work(128, 1), ["x float32 N,128"], ["y float32 N,128"]);
        var bytes = new FileInfo(Path.Combine(models.Path, "catalogue", "a.onnx")).Length;
        await using var sessions = Services.Sessions(models, options => options.MemoryBytes = bytes * 5 / 2);

        (await sessions.AcquireAsync("a", CancellationToken.None)).Dispose();
        (await sessions.AcquireAsync("b", CancellationToken.None)).Dispose();
        (await sessions.AcquireAsync("a", CancellationToken.None)).Dispose();
        (await sessions.AcquireAsync("c", CancellationToken.None)).Dispose();

        Assert.Equal(["a", "c"], sessions.Loaded.Select(static model => model.Manifest.Name).Order());
        Assert.Equal(2 * bytes, sessions.Bytes);
    }

    [RuntimeFact]
    public async Task AcquireAsync_BudgetIsHeld_IsBusyUntilSomebodyLetsGo()
    {
        using var models = new ModelFolder();
        foreach (var name in new[] { "a", "b" }) models.Add(name, OnnxModelBuilder.Work(128, 1), ["x float32 N,128"], ["y float32 N,128"]);
        var bytes = new FileInfo(Path.Combine(models.Path, "catalogue", "a.onnx")).Length;
        await using var sessions = Services.Sessions(models, options => options.MemoryBytes = bytes * 3 / 2);
        var held = await sessions.AcquireAsync("a", CancellationToken.None);

        var busy = await Assert.ThrowsAsync<BusyException>(() => sessions.AcquireAsync("b", CancellationToken.None).AsTask());
        held.Dispose();
        held.Dispose(); // twice does no harm
        using var b = await sessions.AcquireAsync("b", CancellationToken.None);

        Assert.True(busy.RetryAfter > TimeSpan.Zero);
        Assert.Equal(["b"], sessions.Loaded.Select(static model => model.Manifest.Name));
    }

    [RuntimeFact]
    public async Task AcquireAsync_LargerThanTheBudget_IsRefused()
    {
        using var models = new ModelFolder().AddScale();
        await using var sessions = Services.Sessions(models, static options => options.MemoryBytes = 10);

        Assert.Contains("MemoryBytes", (await Assert.ThrowsAsync<InvalidModelException>(() => sessions.AcquireAsync("scale", CancellationToken.None).AsTask())).Message, StringComparison.Ordinal);
    }

    [RuntimeFact]
    public async Task AcquireAsync_BrokenModel_FailsOnceForAllAndIsTriedAgainLater()
    {
        using var models = new ModelFolder().Add("m", "no model"u8.ToArray(), ["x float32 N,4"], ["y float32 N,4"]);
        await using var patient = Services.Sessions(models, static options => options.RetryFailedAfter = TimeSpan.FromHours(1));
        await using var eager = Services.Sessions(models, static options => options.RetryFailedAfter = TimeSpan.Zero);

        var first = await Assert.ThrowsAsync<InvalidModelException>(() => patient.AcquireAsync("m", CancellationToken.None).AsTask());
        Assert.Same(first, await Assert.ThrowsAsync<InvalidModelException>(() => patient.AcquireAsync("m", CancellationToken.None).AsTask()));
        Assert.Same(first, patient.FailureOf("m"));
        await Assert.ThrowsAsync<InvalidModelException>(() => eager.AcquireAsync("m", CancellationToken.None).AsTask());
        models.AddScale("m");

        using var lease = await eager.AcquireAsync("m", CancellationToken.None);
        await Assert.ThrowsAsync<InvalidModelException>(() => patient.AcquireAsync("m", CancellationToken.None).AsTask());
    }

    [RuntimeFact]
    public async Task AcquireAsync_ManifestOfAnotherGraph_IsRefused()
    {
        using var models = new ModelFolder().Add("m", OnnxModelBuilder.Scale(), ["picture float32 N,4"], ["y float32 N,4"]);
        await using var sessions = Services.Sessions(models);

        Assert.Contains("picture", (await Assert.ThrowsAsync<InvalidModelException>(() => sessions.AcquireAsync("m", CancellationToken.None).AsTask())).Message, StringComparison.Ordinal);
    }

    /// <summary>Seconds of work in one run: nobody may have to wait for it, and it must not keep other models from being loaded.</summary>
    [RuntimeFact]
    public async Task AcquireAsync_ModelThatDoesNotEnd_IsRefused()
    {
        using var models = new ModelFolder().AddScale().Add("endless", OnnxModelBuilder.Work(2048, 2000), ["x float32 N,2048"], ["y float32 N,2048"]);
        await using var sessions = Services.Sessions(models, static options => options.WarmTimeout = TimeSpan.FromMilliseconds(300));

        Assert.Contains("0.3 s", (await Assert.ThrowsAsync<InvalidModelException>(() => sessions.AcquireAsync("endless", CancellationToken.None).AsTask())).Message, StringComparison.Ordinal);
        using var other = await sessions.AcquireAsync("scale", CancellationToken.None);
    }

    [RuntimeFact]
    public async Task AcquireAsync_LoadedAgain_IsNotMeasuredAgain()
    {
        using var models = new ModelFolder().Add("m", OnnxModelBuilder.Work(256, 2), ["x float32 N,256"], ["y float32 N,256"]);
        await using var sessions = Services.Sessions(models, measureFor: TimeSpan.FromMilliseconds(400));
        using var first = await sessions.AcquireAsync("m", CancellationToken.None);

        sessions.Unload("m");
        using var second = await sessions.AcquireAsync("m", CancellationToken.None);

        Assert.NotSame(first.Model, second.Model);
        Assert.Same(first.Model.Queue.Plan, second.Model.Queue.Plan);
        Assert.Equal(second.Model.Queue.Plan.Threads, second.Model.Session.IntraOpThreads);
    }

    [Fact]
    public async Task AcquireAsync_NoSuchModel_SaysSo()
    {
        using var models = new ModelFolder();
        await using var sessions = Services.Sessions(models);

        Assert.Equal(ModelFault.NotFound, (await Assert.ThrowsAsync<ModelException>(() => sessions.AcquireAsync("none", CancellationToken.None).AsTask())).Fault);
    }

    [RuntimeFact]
    public async Task AcquireAsync_CallerLeaves_OthersGetTheModel()
    {
        using var models = new ModelFolder().AddScale();
        await using var sessions = Services.Sessions(models);
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sessions.AcquireAsync("scale", gone.Token).AsTask());
        using var lease = await sessions.AcquireAsync("scale", CancellationToken.None);

        Assert.Equal(1, sessions.Loads);
    }

    [RuntimeFact]
    public async Task Unload_WhileHeld_ServesTheHolderAndLoadsAnewForTheNext()
    {
        using var models = new ModelFolder().AddScale();
        await using var sessions = Services.Sessions(models);
        using var held = await sessions.AcquireAsync("scale", CancellationToken.None);

        Assert.True(sessions.Unload("scale"));
        using var next = await sessions.AcquireAsync("scale", CancellationToken.None);

        Assert.NotSame(held.Model, next.Model);
        using var x = Tensor.Rent(TensorType.Float32, 1, 4);
        x.AsSpan<float>().Fill(4);
        var outputs = new Tensor?[1];
        await held.Model.Queue.RunAsync([x], outputs, "test", CancellationToken.None);
        using var y = outputs[0]!;
        Assert.Equal([8f, 8, 8, 8], y.AsSpan<float>().ToArray());
        Assert.False(sessions.Unload("none"));
    }
}
