using System.Buffers;
using Platform.Nifti.Gzip;
using Platform.Nifti.Values;

namespace Platform.Nifti;

/// <summary>
/// A NIfTI volume in a source: its header, read; its voxels, when asked for. Plain or gzipped, in one file or in a pair. The sources stay
/// the caller's. Safe for concurrent use.
/// </summary>
public sealed class NiftiVolume
{
    // Deflate makes at most 1,032 bytes of one: more in a header is a lie, and found out before anything is inflated.
    private const long MostInflation = 1032;
    private const int ChunkBytes = 256 << 10;

    private readonly NiftiSource _voxels;
    private readonly NiftiReadOptions _options;
    private readonly SemaphoreSlim _indexing = new(1);
    private volatile GzipIndexedSource? _inflated;

    private NiftiVolume(NiftiHeader header, NiftiSource voxels, bool hasVoxels, bool isCompressed, NiftiReadOptions options) =>
        (Header, _voxels, HasVoxels, IsCompressed, _options) = (header, voxels, hasVoxels, isCompressed, options);

    public NiftiHeader Header { get; }

    /// <summary>False for a pair that was opened without its image.</summary>
    public bool HasVoxels { get; }

    /// <summary>Whether the file that holds the voxels is gzipped.</summary>
    public bool IsCompressed { get; }

    /// <summary>The seek index of a compressed file, once one was made: by <see cref="MeasureAsync"/>, or the first <see cref="ReadAsync"/>.</summary>
    public GzipIndex? Index { get; private set; }

    /// <summary>Opens a volume: reads the header, and of a compressed file as much as that takes (64 KB).</summary>
    /// <param name="file">The file, or the header of a pair.</param>
    /// <param name="image">The other half of a pair (<c>.img</c>, <c>.img.gz</c>); null to look at the header of a pair only.</param>
    /// <param name="options">Limits.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="InvalidNiftiException">Not NIfTI, damaged, shorter than it says, or beyond a limit.</exception>
    public static async Task<NiftiVolume> OpenAsync(NiftiSource file, NiftiSource? image, NiftiReadOptions? options, CancellationToken cancellationToken)
    {
        options ??= NiftiReadOptions.Default;
        var header = NiftiHeaderReader.Read(await ReadBeginningAsync(file, cancellationToken).ConfigureAwait(false), options);
        var voxels = header.IsPair && image is not null ? image : file;
        var isCompressed = await IsGzipAsync(voxels, cancellationToken).ConfigureAwait(false);
        var hasVoxels = !header.IsPair || image is not null;
        if (hasVoxels)
        {
            var needed = header.VoxelOffset + header.VoxelBytes;
            var most = isCompressed ? (voxels.Length + 1) * MostInflation : voxels.Length;
            if (needed > most) throw new InvalidNiftiException($"The header announces {needed} bytes, the file has {(isCompressed ? "at most " : "")}{most}.", voxels.Length);
        }
        return new NiftiVolume(header, voxels, hasVoxels, isCompressed, options);
    }

    /// <summary>
    /// Reads all voxels once and tells the range of their values; null where values of the type are not read
    /// (<see cref="NiftiDataTypes.HasReadableValues"/>) or the image of a pair is not there. A compressed file gets its index by the way.
    /// </summary>
    /// <param name="progress">Told the inflated bytes done so far, some times a second.</param>
    /// <param name="cancellationToken">Ends the work between two chunks.</param>
    /// <exception cref="InvalidNiftiException">The file ends too early or is damaged.</exception>
    public async Task<NiftiValueRange?> MeasureAsync(IProgress<long>? progress, CancellationToken cancellationToken)
    {
        if (!HasVoxels || ValueAccumulator.For(Header) is not { } accumulator) return null;
        using var numbers = new NumberReader(Header, accumulator);
        await ScanAsync(chunk => numbers.Add(chunk.Span), progress, cancellationToken).ConfigureAwait(false);
        return accumulator.Finish(Header.Slope, Header.Intercept);
    }

    /// <summary>
    /// Reads bytes of the voxels as they are stored, but little endian. A compressed file is inflated once, from its beginning, for its index; from then
    /// on a read inflates some 2 MB around what it wants.
    /// </summary>
    /// <param name="offset">From the first voxel's first byte; a multiple of the bytes of a number.</param>
    /// <param name="buffer">Takes a multiple of the bytes of a number.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not within the voxels, or inside of a number.</exception>
    /// <exception cref="InvalidNiftiException">The file ends too early or is damaged.</exception>
    public async Task ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var unit = Header.DataType.BytesPerNumber();
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Header.VoxelBytes - buffer.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual((offset | (long)buffer.Length) % unit, 0, nameof(offset));
        if (!HasVoxels) throw new InvalidOperationException("The volume was opened without its image.");
        var source = IsCompressed ? await InflatedAsync(cancellationToken).ConfigureAwait(false) : _voxels;
        var read = await source.ReadFullyAsync(Header.VoxelOffset + offset, buffer, cancellationToken).ConfigureAwait(false);
        if (read < buffer.Length) throw EndsEarly(Header.VoxelOffset + offset + read);
        if (Header.IsBigEndian == BitConverter.IsLittleEndian) ByteOrder.Reverse(buffer.Span, buffer.Span, unit);
    }

    /// <summary>Bytes of one slice: columns by rows.</summary>
    public long SliceBytes => Header.SizeOf(0) * Header.SizeOf(1) * Header.DataType.BitsPerVoxel() / 8;

    /// <summary>Reads a slice of a volume, rows after one another, as <see cref="ReadAsync"/> does.</summary>
    /// <param name="volumeIndex">0-based, over all dimensions after the third.</param>
    /// <param name="sliceIndex">0-based along the third dimension.</param>
    /// <param name="buffer"><see cref="SliceBytes"/> bytes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task ReadSliceAsync(long volumeIndex, long sliceIndex, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sliceIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sliceIndex, Header.SizeOf(2));
        ArgumentOutOfRangeException.ThrowIfNegative(volumeIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(volumeIndex, Header.VolumeCount);
        ArgumentOutOfRangeException.ThrowIfNotEqual(buffer.Length, SliceBytes, nameof(buffer));
        return ReadAsync((volumeIndex * Header.SizeOf(2) + sliceIndex) * SliceBytes, buffer, cancellationToken);
    }

    private async ValueTask<GzipIndexedSource> InflatedAsync(CancellationToken cancellationToken)
    {
        if (_inflated is { } ready) return ready;
        await _indexing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_inflated is null) await ScanAsync(static _ => { }, null, cancellationToken).ConfigureAwait(false);
            return _inflated!;
        }
        finally
        {
            _indexing.Release();
        }
    }

    /// <summary>Goes through the voxels in order; leaves the index of a compressed file behind.</summary>
    private async Task ScanAsync(Action<ReadOnlyMemory<byte>> take, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var (first, end) = (Header.VoxelOffset, Header.VoxelOffset + Header.VoxelBytes);
        var position = 0L;
        if (!IsCompressed)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
            try
            {
                for (position = first; position < end;)
                {
                    var read = await _voxels.ReadAsync(position, buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - position)), cancellationToken).ConfigureAwait(false);
                    if (read == 0) throw EndsEarly(position);
                    take(buffer.AsMemory(0, read));
                    position += read;
                    progress?.Report(position - first);
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
            return;
        }

        var builder = new GzipIndex.Builder(end, _options.MaxIndexBytes);
        using var reader = new GzipReader(_voxels) { Index = builder };
        while (true)
        {
            var chunk = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (chunk.IsEmpty) break;
            var from = (int)Math.Clamp(first - position, 0, chunk.Length);
            var to = (int)Math.Clamp(end - position, 0, chunk.Length);
            if (from < to) take(chunk[from..to]);
            // One chunk beyond the voxels: where the file ends with them, as it should, that checks its checksum.
            if (position >= end) break;
            position += chunk.Length;
            progress?.Report(Math.Max(0, Math.Min(position, end) - first));
        }
        if (position < end) throw EndsEarly(reader.SourcePosition);
        Index = builder.Build();
        _inflated = new GzipIndexedSource(_voxels, Index);
    }

    private static InvalidNiftiException EndsEarly(long at) => new("The file ends before its voxels do.", at);

    /// <summary>The first bytes of a file, inflated where it is compressed.</summary>
    private static async Task<byte[]> ReadBeginningAsync(NiftiSource file, CancellationToken cancellationToken)
    {
        var bytes = new byte[NiftiHeaderReader.MaxHeaderBytes];
        var count = 0;
        if (!await IsGzipAsync(file, cancellationToken).ConfigureAwait(false))
        {
            count = await file.ReadFullyAsync(0, bytes, cancellationToken).ConfigureAwait(false);
            return bytes[..count];
        }
        using var reader = new GzipReader(file);
        while (count < bytes.Length)
        {
            var chunk = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (chunk.IsEmpty) break;
            var taken = Math.Min(chunk.Length, bytes.Length - count);
            chunk[..taken].CopyTo(bytes.AsMemory(count));
            count += taken;
        }
        return bytes[..count];
    }

    private static async Task<bool> IsGzipAsync(NiftiSource file, CancellationToken cancellationToken)
    {
        var magic = new byte[3];
        return await file.ReadFullyAsync(0, magic, cancellationToken).ConfigureAwait(false) == magic.Length && GzipReader.LooksLikeGzip(magic);
    }
}
