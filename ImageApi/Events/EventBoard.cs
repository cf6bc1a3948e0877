using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace ImageApi.Events;

/// <summary>
/// Where events are put up for whoever listens. One ring holds the newest ones as they go over the wire; a listener is a place in it and keeps nothing of its own,
/// so a thousand slow listeners cost no more memory than none. One that falls behind by more than the ring loses the oldest and is told how many.
/// Any thread may publish; publishing waits for nobody.
/// </summary>
internal sealed class EventBoard(IOptions<EventsOptions> options)
{
    // Numbers begin anew with every process: what another one counted is not mistaken for ours.
    private readonly string _epoch = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
    private readonly byte[][] _ring = new byte[options.Value.History][];
    private readonly Lock _gate = new();
    private TaskCompletionSource _published = NewSignal();
    private long _next = 1;
    private int _listeners;

    public int Listeners => Volatile.Read(ref _listeners);

    public void Publish(PlatformEvent value)
    {
        TaskCompletionSource published;
        lock (_gate)
        {
            _ring[_next % _ring.Length] = Write(value.Name, _next, value);
            _next++;
            (published, _published) = (_published, NewSignal());
        }
        published.SetResult();
    }

    /// <summary>Begins to listen; null when too many do already. The caller disposes it.</summary>
    /// <param name="lastEventId">The id that the listener got last, or null for what comes from now on.</param>
    public Listener? Listen(string? lastEventId)
    {
        if (Interlocked.Increment(ref _listeners) > options.Value.MaxListeners)
        {
            Interlocked.Decrement(ref _listeners);
            return null;
        }
        lock (_gate)
        {
            // What a process before this one put up is not known here: everything may be lost.
            return string.IsNullOrEmpty(lastEventId) ? new Listener(this, _next) : new Listener(this, NumberOf(lastEventId) is { } number ? number + 1 : 0);
        }
    }

    private long? NumberOf(string id) =>
        id.StartsWith(_epoch, StringComparison.Ordinal) && id.Length > _epoch.Length + 1 && id[_epoch.Length] == '-'
        && long.TryParse(id.AsSpan(_epoch.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < _next ? number : null;

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private byte[] Write(string name, long number, PlatformEvent? value, long? lost = null)
    {
        var to = new ArrayBufferWriter<byte>(256);
        to.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {_epoch}-{number}\nevent: {name}\ndata: ")));
        using (var json = new Utf8JsonWriter(to))
        {
            if (value is not null)
            {
                JsonSerializer.Serialize(json, value, value.GetType(), EventJson.Default);
            }
            else
            {
                json.WriteStartObject();
                if (lost is { } count) json.WriteNumber("events", count);
                json.WriteEndObject();
            }
        }
        to.Write("\n\n"u8);
        return to.WrittenSpan.ToArray();
    }

    /// <summary>A listener's place. Not for use by several threads at once.</summary>
    public sealed class Listener : IDisposable
    {
        private readonly EventBoard _board;
        private long _at;
        private bool _isDisposed;

        /// <param name="board">The board.</param>
        /// <param name="at">The number of the next event to read; 0 when it is not known what the listener has seen.</param>
        internal Listener(EventBoard board, long at) => (_board, _at) = (board, at);

        /// <summary>The next event as it goes over the wire, or null with what to wait for until there may be one.</summary>
        public byte[]? TryRead(out Task published)
        {
            lock (_board._gate)
            {
                published = _board._published.Task;
                if (_at == 0)
                {
                    _at = _board._next;
                    return _board.Write("lost", _at - 1, null);
                }
                var oldest = Math.Max(1, _board._next - _board._ring.Length);
                if (_at < oldest)
                {
                    var lost = oldest - _at;
                    _at = oldest;
                    return _board.Write("lost", _at - 1, null, lost);
                }
                return _at < _board._next ? _board._ring[_at++ % _board._ring.Length] : null;
            }
        }

        public void Dispose()
        {
            if (_isDisposed) return;
            _isDisposed = true;
            Interlocked.Decrement(ref _board._listeners);
        }
    }
}
