using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.IO.Pipelines;
using ImageApi.Catalog;
using ImageApi.Frames;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Problems;
using Platform.TieredCache;

namespace ImageApi.Preview;

/// <summary>The answer to a request for a preview. Records leave in their order, each as soon as it is ready, while a few frames ahead are being made.</summary>
internal sealed class PreviewResponse(FrameService frames, SeriesFrames orders, PreviewMaker maker, EntityResponse responses, FrameActivity activity, CodecSlots slots)
{
    public const string MediaType = "application/vnd.platform.preview";

    private const int HeaderBytes = 16, RecordBytes = 12, UnflushedBytes = 64 << 10, RemoteAhead = 8;
    private const ushort FormatVersion = 1;
    private static readonly IReadOnlyList<Offer> Offers = [new(MediaType), new(TransferSyntaxMediaTypes.OctetStream)];

    /// <param name="context">The request.</param>
    /// <param name="series">Which series.</param>
    /// <param name="levels">Resolutions to leave out of each frame.</param>
    /// <param name="from">The frame to begin with; null for the one that a viewer opens on.</param>
    public async Task ServeAsync(HttpContext context, SeriesEntry series, int levels, int? from)
    {
        var freshness = VersionedUrl.Check(context.Request, series.Content, Freshness.Revalidate, out var problem);
        problem ??= VersionedUrl.CheckEncoding(context.Request, FrameForms.Encoding);
        if (problem is null && ContentNegotiation.Choose(context.Request, Offers) is null)
            problem = Problem.NotAcceptable($"A preview can be had as {MediaType}.");
        if (problem is not null)
        {
            await problem.ExecuteAsync(context);
            return;
        }

        var cancellationToken = context.RequestAborted;
        var order = await orders.GetAsync(series, cancellationToken);
        var first = from ?? order.Opening;
        if (first >= Math.Max(1, order.Frames.Count))
        {
            await PreviewApi.InvalidParameter("from", $"below {order.Frames.Count}, the number of frames").ExecuteAsync(context);
            return;
        }

        var tag = EntityTags.Of("preview", series.Content, string.Create(CultureInfo.InvariantCulture, $"{FrameForms.Encoding};{levels};{first}"));
        // Who asked without a version learns which one it is (RFC 9110 8.7): prefixes of one must not meet the rest of another.
        context.Response.Headers.ContentLocation = string.Create(CultureInfo.InvariantCulture,
            $"/api/series/{series.SeriesUid}/preview?{VersionedUrl.Parameter}={series.Content.ToShortString()}&{VersionedUrl.EncodingParameter}={FrameForms.Encoding}&resolution=1/{1 << levels}&from={first}");
        if (!await responses.BeginAsync(context, new Entity(tag, MediaType, freshness)) || HttpMethods.IsHead(context.Request.Method)) return;
        activity.Asked();
        await context.Response.StartAsync(cancellationToken);
        await SendAsync(context.Response.BodyWriter, order.Frames, levels, first, cancellationToken);
        maker.Previewed(series);
    }

    /// <summary>Indexes from one outward: it, the next, the one before, and so on.</summary>
    internal static IEnumerable<int> Outward(int count, int from)
    {
        for (var distance = 0; distance < count; distance++)
        {
            if (from + distance < count) yield return from + distance;
            if (distance > 0 && from - distance >= 0) yield return from - distance;
        }
    }

    private async Task SendAsync(PipeWriter to, IReadOnlyList<SeriesFrame> all, int levels, int from, CancellationToken cancellationToken)
    {
        WriteHeader(to, all.Count);
        await to.FlushAsync(cancellationToken);

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // Enough to keep every processor busy, and an origin behind a network; more would make who asks for one frame wait behind them.
        var ahead = all.Count > 0 && frames.IsLocal(all[from].Instance) ? slots.Count + 1 : RemoteAhead;
        var underWay = new Queue<(int Index, ValueTask<Beginning> Frame)>(ahead);
        try
        {
            using var order = Outward(all.Count, from).GetEnumerator();
            var unflushed = 0L;
            while (true)
            {
                while (underWay.Count < ahead && order.MoveNext()) underWay.Enqueue((order.Current, BeginAsync(all[order.Current], levels, ended.Token)));
                if (!underWay.TryPeek(out var next)) break;
                if (!next.Frame.IsCompleted && unflushed > 0)
                {
                    await to.FlushAsync(cancellationToken);
                    unflushed = 0;
                }

                underWay.Dequeue();
                await using var beginning = await next.Frame;
                unflushed += Write(to, next.Index, beginning);
                if (unflushed < UnflushedBytes) continue;
                await to.FlushAsync(cancellationToken);
                activity.Asked();
                unflushed = 0;
            }
            await to.FlushAsync(cancellationToken);
        }
        finally
        {
            // Who went away, or a frame that failed: what was begun for this answer alone ends with it.
            await ended.CancelAsync();
            while (underWay.TryDequeue(out var left)) await EndAsync(left.Frame);
        }
    }

    private static async ValueTask EndAsync(ValueTask<Beginning> frame)
    {
        try
        {
            await (await frame).DisposeAsync();
        }
        catch
        {
            // The answer has ended already, and says why.
        }
    }

    private async ValueTask<Beginning> BeginAsync(SeriesFrame frame, int levels, CancellationToken cancellationToken)
    {
        if (!FrameForms.HasPreview(frame.Instance)) return default;
        var head = await frames.GetHeadAsync(frame.Instance, frame.FrameIndex, cancellationToken);
        try
        {
            if (!head.TryGetBytes(out var value)) throw new InvalidDataException("The head of a frame is not in memory.");
            var facts = FrameHead.Read(value, out var prefix);
            var ends = facts.ResolutionEnds;
            if (ends.IsEmpty)
            {
                await head.DisposeAsync();
                return default;
            }
            var bytes = ends[Math.Max(0, ends.Length - 1 - levels)];
            if (bytes <= prefix.Length) return new Beginning(head, null, facts, prefix.Slice(0, bytes));

            await head.DisposeAsync();
            var stream = await frames.GetAsync(frame.Instance, frame.FrameIndex, FrameForm.Htj2kRpcl, cancellationToken);
            var copy = new LeasedBytes();
            try
            {
                var whole = await copy.ReadAsync(stream, long.MaxValue, cancellationToken);
                return new Beginning(stream, copy, facts, whole.Slice(0, bytes));
            }
            catch
            {
                copy.Dispose();
                await stream.DisposeAsync();
                throw;
            }
        }
        catch
        {
            await head.DisposeAsync();
            throw;
        }
    }

    private static void WriteHeader(PipeWriter to, int count)
    {
        var span = to.GetSpan(HeaderBytes)[..HeaderBytes];
        span.Clear();
        "PLPV"u8.CopyTo(span);
        BinaryPrimitives.WriteUInt16LittleEndian(span[4..], FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(span[8..], count);
        to.Advance(HeaderBytes);
    }

    private static long Write(PipeWriter to, int index, in Beginning beginning)
    {
        var facts = beginning.Facts;
        ImmutableArray<long> ends = facts?.ResolutionEnds ?? [];
        var length = RecordBytes + (4 * ends.Length) + 4;
        var span = to.GetSpan(length)[..length];
        span.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(span, index);
        span[4] = facts is null ? (byte)0 : (byte)1;
        span[5] = (byte)ends.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(span[8..], (uint)(facts?.Length ?? 0));
        for (var i = 0; i < ends.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(span[(RecordBytes + (4 * i))..], (uint)ends[i]);
        BinaryPrimitives.WriteUInt32LittleEndian(span[^4..], (uint)beginning.Bytes.Length);
        to.Advance(length);
        foreach (var segment in beginning.Bytes) to.Write(segment.Span);
        return length + beginning.Bytes.Length;
    }

    /// <summary>What there is to send of a frame; nothing by default. Disposed once, after it was written.</summary>
    private readonly record struct Beginning(CacheLease Lease, LeasedBytes? Copy, FrameFacts? Facts, ReadOnlySequence<byte> Bytes) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Copy?.Dispose();
            return Lease.DisposeAsync();
        }
    }
}
