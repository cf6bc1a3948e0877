using System.Net.Sockets;
using System.Threading.Channels;

namespace Platform.Tests.Shared.Faults;

/// <summary>One client of a <see cref="FaultProxy"/> and its connection to the server.</summary>
internal sealed class FaultConnection(Socket client, FaultProxy proxy, NewConnections treatment, CancellationToken stop)
{
    private const int ChunkBytes = 16 << 10;

    /// <summary>How much may be on the line: with 40 ms it carries 25 MB/s and more.</summary>
    private const int MaxChunks = 256;

    private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(stop);
    private readonly Socket _server = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private volatile bool _isReset;

    public void Reset()
    {
        _isReset = true;
        End();
    }

    public async Task RunAsync()
    {
        try
        {
            if (treatment == NewConnections.Reset) _isReset = true;
            else if (treatment == NewConnections.Ignored) await Task.Delay(Timeout.Infinite, _end.Token);
            else
            {
                client.NoDelay = true;
                await _server.ConnectAsync(proxy.Target, _end.Token);
                await Task.WhenAll(PassAsync(client, _server, proxy.ToServer), PassAsync(_server, client, proxy.ToClient));
            }
        }
        catch (Exception exception) when (IsEnd(exception))
        {
        }
        finally
        {
            Close(client);
            Close(_server);
            _end.Dispose();
        }
    }

    private async Task PassAsync(Socket from, Socket to, FaultDirection faults)
    {
        // Between reading and writing lies the line: chunks wait there until they are due.
        var line = Channel.CreateBounded<(byte[] Bytes, int Count, long DueAt)>(MaxChunks);
        try
        {
            await Task.WhenAll(ReadAsync(from, faults, line.Writer), WriteAsync(line.Reader, to, faults));
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            End();
        }
    }

    private async Task ReadAsync(Socket from, FaultDirection faults, ChannelWriter<(byte[], int, long)> line)
    {
        try
        {
            while (true)
            {
                while (faults.IsStalled) await Task.Delay(5, _end.Token);
                var bytes = new byte[ChunkBytes + 1];
                var count = await from.ReceiveAsync(bytes.AsMemory(0, ChunkBytes), _end.Token);
                if (count == 0) return;
                await line.WriteAsync((bytes, count, TimeProvider.System.GetTimestamp()), _end.Token);
            }
        }
        catch (SocketException)
        {
            Reset();   // as the one side broke, so shall the other
        }
        finally
        {
            line.Complete();
        }
    }

    private async Task WriteAsync(ChannelReader<(byte[] Bytes, int Count, long ReadAt)> line, Socket to, FaultDirection faults)
    {
        var offset = 0L;
        await foreach (var (bytes, read, readAt) in line.ReadAllAsync(_end.Token))
        {
            while (faults.IsStalled) await Task.Delay(5, _end.Token);
            var wait = faults.Delay - TimeProvider.System.GetElapsedTime(readAt);
            if (wait > TimeSpan.Zero) await Task.Delay(wait, _end.Token);

            var end = Math.Min(faults.ResetAfterBytes ?? long.MaxValue, faults.CloseAfterBytes ?? long.MaxValue);
            var count = (int)Math.Clamp(end - offset, 0, read);
            var isOver = count < read || end == offset + read;
            offset += count;
            count = faults.Spoil(bytes, count, offset - count);
            wait = faults.Reserve(count, TimeProvider.System);
            if (wait > TimeSpan.FromMilliseconds(1)) await Task.Delay(wait, _end.Token);
            for (var sent = 0; sent < count;) sent += await to.SendAsync(bytes.AsMemory(sent, count - sent), _end.Token);
            faults.Passed(count);
            if (!isOver) continue;
            if (faults.ResetAfterBytes is { } reset && reset <= offset) Reset();
            else End();
            return;
        }
        to.Shutdown(SocketShutdown.Send);
    }

    private void End()
    {
        try
        {
            _end.Cancel();
        }
        catch (ObjectDisposedException)
        {
        }
    }

    private void Close(Socket socket)
    {
        // Without lingering a close is a reset.
        if (_isReset) socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Dispose();
    }

    private static bool IsEnd(Exception exception) => exception is OperationCanceledException or SocketException or ObjectDisposedException or ChannelClosedException;
}
