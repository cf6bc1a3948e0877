using System.Buffers;
using System.Runtime.InteropServices;
using PerfTests.Measuring;
using PerfTests.Versus;
using Platform.Codecs;

namespace PerfTests.Codecs;

/// <summary>
/// Raw megabytes per second of this thread's CPU time, by codec. Everything is checked before anything is timed: each decoder gives
/// the source's pixels back, of its own streams and of the other's; where the codec is lossy, both see the same picture. Decoders get
/// the same streams: the peer's where there is one.
/// </summary>
/// <param name="run">Takes the rows.</param>
/// <param name="name">The codec's.</param>
/// <param name="frames">What is encoded and decoded.</param>
/// <param name="decoder">Ours.</param>
/// <param name="peer">The other's, if any.</param>
internal sealed class CodecScenario(VersusRun run, string name, List<CodecFrame> frames, IFrameDecoder decoder, PeerCodec? peer)
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1.5); // until ours is compiled with its profile

    private readonly double _rawBytes = frames.Sum(f => (double)f.Pixels.Length);
    private readonly ArrayBufferWriter<byte> _buffer = new(64 << 20);

    public delegate void Encode(CodecFrame frame, IBufferWriter<byte> stream, CancellationToken cancellationToken);

    public static Encode By(IFrameEncoder encoder) => (frame, stream, cancellationToken) => encoder.Encode(frame.Pixels, frame.Description, stream, null, cancellationToken);

    /// <summary>A codec that keeps every pixel.</summary>
    /// <param name="encode">Our encoder, if there is one; without it there has to be a peer.</param>
    /// <param name="isReducible">Whether it decodes at a quarter of the resolution too.</param>
    public void RunLossless(Encode? encode, bool isReducible)
    {
        var ours = encode is null ? null : frames.ConvertAll(frame => EncodeOurs(encode, frame).ToArray());
        var streams = peer is null ? ours! : frames.ConvertAll(frame => peer.Encode(frame).ToArray());
        for (var i = 0; i < frames.Count; i++)
        {
            Check(frames[i].Pixels, DecodeOurs(streams[i], frames[i], 0));
            if (ours is not null) Check(frames[i].Pixels, DecodeOurs(ours[i], frames[i], 0));
            if (peer is null) continue;
            CheckPeer(frames[i], peer.Decode(streams[i], 0));
            if (ours is not null) CheckPeer(frames[i], peer.Decode(ours[i], 0));
        }
        if (ours is not null) AddRatio("ours", ours);
        if (peer is not null) AddRatio(peer.Name, streams);
        if (encode is not null) Time("encode", VersusRun.Conditions(), i => EncodeOurs(encode, frames[i]), i => peer!.Encode(frames[i]));
        TimeDecoding(streams, VersusRun.Conditions(), 0);
        if (isReducible) TimeDecoding(streams, VersusRun.Conditions(("resolution", "1/4")), 2);
    }

    /// <summary>A codec that does not, with the pixels that both have to see.</summary>
    public void RunLossy(Encode encode, string pixels)
    {
        if (peer is null) return;
        var ours = frames.ConvertAll(frame => EncodeOurs(encode, frame).ToArray());
        var streams = frames.ConvertAll(frame => peer.Encode(frame).ToArray());
        for (var i = 0; i < frames.Count; i++)
        {
            Check(peer.Decode(streams[i], 0), DecodeOurs(streams[i], frames[i], 0));
            Check(peer.Decode(ours[i], 0), DecodeOurs(ours[i], frames[i], 0));
        }
        Time("encode", VersusRun.Conditions(("pixels", pixels)), i => EncodeOurs(encode, frames[i]), i => peer.Encode(frames[i]));
        TimeDecoding(streams, VersusRun.Conditions(("pixels", pixels)), 0);
    }

    private void TimeDecoding(List<byte[]> streams, Dictionary<string, string> conditions, int reduce) =>
        Time("decode", conditions, i => DecodeOurs(streams[i], frames[i], reduce), i => peer!.Decode(streams[i], reduce));

    private delegate ReadOnlySpan<byte> Work(int frame);

    private void Time(string measure, Dictionary<string, string> conditions, Work ours, Work theirs)
    {
        for (var until = Clock.Now + (long)WarmUp.TotalNanoseconds; Clock.Now < until;) for (var i = 0; i < frames.Count; i++) ours(i);
        run.Interleave($"{name} {measure}", peer is null ? ["ours"] : new[] { "ours", peer.Name }, (target, _) =>
        {
            var work = target == "ours" ? ours : theirs;
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var began = Clock.ThreadTime;
            for (var i = 0; i < frames.Count; i++) work(i);
            var time = Clock.ThreadTime - began;
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            run.Add(name, target, measure, "MB/s", conditions, _rawBytes * 1e3 / time, frames.Count);
            if (target == "ours") run.Add(name, target, $"allocated per {measure}", "By", conditions, allocated / (double)frames.Count, frames.Count);
        });
    }

    private void AddRatio(string target, List<byte[]> streams) =>
        run.Add(name, target, "raw bytes per byte", "1", VersusRun.Conditions(), _rawBytes / streams.Sum(s => (double)s.Length), frames.Count);

    private ReadOnlySpan<byte> EncodeOurs(Encode encode, CodecFrame frame)
    {
        _buffer.ResetWrittenCount();
        encode(frame, _buffer, run.CancellationToken);
        return _buffer.WrittenSpan;
    }

    private ReadOnlySpan<byte> DecodeOurs(byte[] stream, CodecFrame frame, int reduce)
    {
        _buffer.ResetWrittenCount();
        decoder.Decode(new ReadOnlySequence<byte>(stream), frame.Description, _buffer, new DecodeOptions { ReduceLevels = reduce }, run.CancellationToken);
        return _buffer.WrittenSpan;
    }

    private static void Check(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> decoded)
    {
        if (!decoded.SequenceEqual(expected)) throw new InvalidDataException("A decoded frame differs from its source, or from what the other decodes.");
    }

    // What the streams of some codecs do not say, the sign, others leave to who reads the pixels.
    private static void CheckPeer(CodecFrame frame, ReadOnlySpan<byte> decoded)
    {
        var mask = (ushort)((1 << frame.Description.BitsStored) - 1);
        var source = MemoryMarshal.Cast<byte, ushort>(frame.Pixels);
        var theirs = MemoryMarshal.Cast<byte, ushort>(decoded);
        for (var i = 0; i < source.Length; i++)
        {
            if (theirs.Length != source.Length || ((source[i] ^ theirs[i]) & mask) != 0) throw new InvalidDataException("A frame that the other decoded differs from its source.");
        }
    }
}
