using System.Buffers;
using System.IO.Pipelines;

namespace Platform.TieredCache;

/// <summary>What happens when a file shows damage while it is being read out: the rest comes from a value that is made anew, if it is the same one.</summary>
internal static class DamagedValue
{
    /// <summary>
    /// Copies what is missing from <paramref name="position"/> on. The new value must agree in its header and in every whole chunk that was given out since
    /// <paramref name="offset"/>: two versions are never spliced.
    /// </summary>
    /// <exception cref="DamagedValueException">It is another value: the reading has failed.</exception>
    public static async ValueTask CopyRestAsync(Body damaged, ValueFile file, PipeWriter to, long offset, long position, long? count, CancellationToken cancellationToken)
    {
        await using var again = await damaged.MakeAgain!(cancellationToken).ConfigureAwait(false);
        var (old, fresh) = (damaged.Header, again.Header);
        if ((fresh.Length is { } length && length != old.Length) || fresh.MediaType != old.MediaType || fresh.ContentCoding != old.ContentCoding || fresh.PixelDigest != old.PixelDigest)
            throw new DamagedValueException("A damaged value was made anew and is another one.");
        // The chunk at the position is the damaged one, and nothing of it was given out.
        var (from, until) = ((offset + ValueFile.ChunkBytes - 1) / ValueFile.ChunkBytes * ValueFile.ChunkBytes, position / ValueFile.ChunkBytes * ValueFile.ChunkBytes);
        if (from < until) await again.CopyToAsync(new Comparison(file, from), from, until - from, cancellationToken).ConfigureAwait(false);
        await again.CopyToAsync(to, position, count, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes the bytes of the new value and throws where they are not those of the old file.</summary>
    private sealed class Comparison(ValueFile file, long position) : PipeWriter
    {
        private readonly byte[] _chunk = new byte[ValueFile.ChunkBytes];
        private byte[] _buffer = new byte[ValueFile.ChunkBytes];
        private long _position = position;
        private long _inChunk = -1;

        public override Memory<byte> GetMemory(int sizeHint = 0)
        {
            if (_buffer.Length < sizeHint) _buffer = new byte[sizeHint];
            return _buffer;
        }

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override void Advance(int bytes)
        {
            for (var from = 0; from < bytes;)
            {
                var within = (int)(_position % ValueFile.ChunkBytes);
                var start = _position - within;
                var size = Math.Min(ValueFile.ChunkBytes - within, bytes - from);
                if (_inChunk != start)
                {
                    file.Read(start, _chunk.AsMemory(0, (int)Math.Min(ValueFile.ChunkBytes, file.StoredBytes - start)));
                    _inChunk = start;
                }

                if (!_chunk.AsSpan(within, size).SequenceEqual(_buffer.AsSpan(from, size)))
                    throw new DamagedValueException("A damaged value was made anew and is another one.");
                from += size;
                _position += size;
            }
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => new(new FlushResult(false, false));

        public override void CancelPendingFlush() { }

        public override void Complete(Exception? exception = null) { }
    }
}
