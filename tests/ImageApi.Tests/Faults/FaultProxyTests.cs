using System.Net;
using System.Net.Sockets;
using Platform.Tests.Shared.Faults;

namespace ImageApi.Tests.Faults;

/// <summary>The proxy that the fault tests rely on: each fault does what it says, and none means none.</summary>
public sealed class FaultProxyTests : IAsyncLifetime
{
    private const int Bytes = 300_000;

    private readonly TcpListener _server = new(IPAddress.Loopback, 0);
    private readonly byte[] _sent = new byte[Bytes];
    private FaultProxy _proxy = null!;

    public Task InitializeAsync()
    {
        new Random(1).NextBytes(_sent);
        _server.Start();
        _proxy = FaultProxy.Start(_server.LocalEndpoint);
        _ = ServeAsync();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        _server.Dispose();
    }

    [Fact]
    public async Task NoFault_PassesEverythingAndCounts()
    {
        Assert.Equal(_sent, await ReadAsync());
        Assert.Equal(1, _proxy.Connections);
        Assert.Equal(Bytes, _proxy.ToClient.Bytes);
        Assert.Equal(1, _proxy.ToServer.Bytes);
    }

    [Fact]
    public async Task Delay_HoldsTheAnswerBackBothWays()
    {
        _proxy.ToServer.Delay = _proxy.ToClient.Delay = TimeSpan.FromMilliseconds(100);
        var started = TimeProvider.System.GetTimestamp();
        Assert.Equal(_sent, await ReadAsync());
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalMilliseconds, 195, 10_000);
    }

    [Fact]
    public async Task BytesPerSecond_SlowsTheAnswerDown()
    {
        _proxy.ToClient.BytesPerSecond = 1_000_000;
        var started = TimeProvider.System.GetTimestamp();
        Assert.Equal(_sent, await ReadAsync());
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalMilliseconds, 250, 10_000);
    }

    [Fact]
    public async Task CloseAfterBytes_EndsTheAnswerEarly()
    {
        _proxy.ToClient.CloseAfterBytes = 100_001;
        Assert.Equal(_sent[..100_001], await ReadAsync());
    }

    [Fact]
    public async Task ResetAfterBytes_BreaksTheAnswer()
    {
        _proxy.ToClient.ResetAfterBytes = 100_001;
        await Assert.ThrowsAnyAsync<IOException>(ReadAsync);
        Assert.Equal(100_001, _proxy.ToClient.Bytes);
    }

    [Fact]
    public async Task FlipAt_ChangesOneByte()
    {
        _proxy.ToClient.FlipAt = 70_000;
        var read = await ReadAsync();
        Assert.Equal(70_000, Assert.Single(Enumerable.Range(0, Bytes), i => read[i] != _sent[i]));
    }

    [Fact]
    public async Task FlipEveryBytes_ChangesThatMany()
    {
        _proxy.ToClient.FlipEveryBytes = 100_000;
        var read = await ReadAsync();
        Assert.Equal([100_000, 200_000], Enumerable.Range(0, Bytes).Where(i => read[i] != _sent[i]));
    }

    [Fact]
    public async Task DuplicateAt_MakesTheAnswerOneByteLonger()
    {
        _proxy.ToClient.DuplicateAt = 16_383;
        var read = await ReadAsync();
        Assert.Equal([.. _sent[..16_384], _sent[16_383], .. _sent[16_384..]], read);
    }

    [Fact]
    public async Task IsStalled_HoldsOpenConnectionsUntilCleared()
    {
        _proxy.ToClient.IsStalled = true;
        var reading = ReadAsync();
        await Task.Delay(100);
        Assert.False(reading.IsCompleted);
        Assert.Equal(0, _proxy.ToClient.Bytes);
        _proxy.Heal();
        Assert.Equal(_sent, await reading);
    }

    [Fact]
    public async Task NewConnections_ResetOrIgnored_NeverReachTheServer()
    {
        _proxy.NewConnections = NewConnections.Reset;
        await Assert.ThrowsAnyAsync<IOException>(ReadAsync);
        _proxy.NewConnections = NewConnections.Ignored;
        using var timeout = new CancellationTokenSource(100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ReadAsync(timeout.Token));
        Assert.Equal(0, _proxy.ToServer.Bytes);
        _proxy.Heal();
        Assert.Equal(_sent, await ReadAsync());
    }

    [Fact]
    public async Task ResetConnections_BreaksWhatIsOpenAndNothingElse()
    {
        _proxy.ToClient.IsStalled = true;
        var reading = ReadAsync();
        while (_proxy.ToServer.Bytes == 0) await Task.Delay(5);   // the server was asked
        _proxy.ResetConnections();
        await Assert.ThrowsAnyAsync<IOException>(() => reading);
        _proxy.Heal();
        Assert.Equal(_sent, await ReadAsync());
    }

    private Task<byte[]> ReadAsync() => ReadAsync(CancellationToken.None);

    private async Task<byte[]> ReadAsync(CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, _proxy.Port, cancellationToken);
        }
        catch (SocketException exception)
        {
            throw new IOException("The connection was reset before it was used.", exception);
        }
        await using var stream = client.GetStream();
        await stream.WriteAsync(new byte[1], cancellationToken);
        using var read = new MemoryStream();
        await stream.CopyToAsync(read, cancellationToken);
        return read.ToArray();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var client = await _server.AcceptTcpClientAsync();
                _ = Task.Run(async () =>
                {
                    try
                    {
                        using (client)
                        {
                            await client.GetStream().ReadExactlyAsync(new byte[1]);
                            await client.GetStream().WriteAsync(_sent);
                        }
                    }
                    catch (IOException)
                    {
                    }
                });
            }
        }
        catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
        {
        }
    }
}
