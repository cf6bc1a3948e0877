using System.Buffers;
using PerfTests.Measuring;
using PerfTests.Versus;
using Platform.Codecs;
using Platform.Codecs.Htj2k;
using Platform.Codecs.Jpeg2000;

namespace PerfTests.Codecs;

/// <summary>
/// Raw megabytes per second of this thread's CPU time, by codec. Everything is checked before anything is timed: each decoder gives
/// the source's pixels back, of its own streams and of the other's. Decoders get the same streams: the peer's where there is one.
/// </summary>
internal sealed class CodecScenario
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1.5); // until ours is compiled with its profile

    private readonly VersusRun _run;
    private readonly string _name;
    private readonly List<CodecFrame> _frames;
    private readonly double _rawBytes;
    private readonly IFrameDecoder _decoder;
    private readonly PeerCodec? _peer;
    private readonly ArrayBufferWriter<byte> _buffer = new(64 << 20);

    private CodecScenario(VersusRun run, string name, List<CodecFrame> frames, IFrameDecoder decoder, PeerCodec? peer)
    {
        (_run, _name, _frames, _decoder, _peer) = (run, name, frames, decoder, peer);
        _rawBytes = frames.Sum(f => (double)f.Pixels.Length);
    }

    public static void RunHtj2k(VersusRun run, List<CodecFrame> frames, PeerCodec? peer)
    {
        var scenario = new CodecScenario(run, "htj2k", frames, new Htj2kFrameDecoder(), peer);
        var encoder = new Htj2kFrameEncoder();
        var ours = frames.ConvertAll(frame => scenario.EncodeOurs(encoder, frame).ToArray());
        var streams = peer is null ? ours : frames.ConvertAll(frame => peer.Encode(frame).ToArray());
        for (var i = 0; i < frames.Count; i++)
        {
            Check(frames[i], scenario.DecodeOurs(ours[i], frames[i], 0));
            if (peer is not null) Check(frames[i], peer.Decode(ours[i], 0));
        }
        scenario.AddRatio("ours", ours);
        if (peer is not null) scenario.AddRatio(peer.Name, streams);
        scenario.Time("encode", VersusRun.Conditions(), i => scenario.EncodeOurs(encoder, frames[i]), i => peer!.Encode(frames[i]));
        scenario.TimeDecoding(streams);
    }

    public static void RunJpeg2000(VersusRun run, List<CodecFrame> frames, PeerCodec peer)
    {
        var scenario = new CodecScenario(run, "jpeg2000", frames, new Jpeg2000FrameDecoder(), peer);
        scenario.TimeDecoding(frames.ConvertAll(frame => peer.Encode(frame).ToArray()));
    }

    private void TimeDecoding(List<byte[]> streams)
    {
        for (var i = 0; i < _frames.Count; i++)
        {
            Check(_frames[i], DecodeOurs(streams[i], _frames[i], 0));
            if (_peer is not null) Check(_frames[i], _peer.Decode(streams[i], 0));
        }
        Time("decode", VersusRun.Conditions(), i => DecodeOurs(streams[i], _frames[i], 0), i => _peer!.Decode(streams[i], 0));
        Time("decode", VersusRun.Conditions(("resolution", "1/4")), i => DecodeOurs(streams[i], _frames[i], 2), i => _peer!.Decode(streams[i], 2));
    }

    private delegate ReadOnlySpan<byte> Work(int frame);

    private void Time(string measure, Dictionary<string, string> conditions, Work ours, Work theirs)
    {
        for (var until = Clock.Now + (long)WarmUp.TotalNanoseconds; Clock.Now < until;) for (var i = 0; i < _frames.Count; i++) ours(i);
        _run.Interleave($"{_name} {measure}", _peer is null ? ["ours"] : new[] { "ours", _peer.Name }, (target, _) =>
        {
            var work = target == "ours" ? ours : theirs;
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var began = Clock.ThreadTime;
            for (var i = 0; i < _frames.Count; i++) work(i);
            var time = Clock.ThreadTime - began;
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            _run.Add(_name, target, measure, "MB/s", conditions, _rawBytes * 1e3 / time, _frames.Count);
            if (target == "ours") _run.Add(_name, target, $"allocated per {measure}", "By", conditions, allocated / (double)_frames.Count, _frames.Count);
        });
    }

    private void AddRatio(string target, List<byte[]> streams) =>
        _run.Add(_name, target, "raw bytes per byte", "1", VersusRun.Conditions(), _rawBytes / streams.Sum(s => (double)s.Length), _frames.Count);

    private ReadOnlySpan<byte> EncodeOurs(Htj2kFrameEncoder encoder, CodecFrame frame)
    {
        _buffer.ResetWrittenCount();
        encoder.Encode(frame.Pixels, frame.Description, _buffer, null, _run.CancellationToken);
        return _buffer.WrittenSpan;
    }

    private ReadOnlySpan<byte> DecodeOurs(byte[] stream, CodecFrame frame, int reduce)
    {
        _buffer.ResetWrittenCount();
        _decoder.Decode(new ReadOnlySequence<byte>(stream), frame.Description, _buffer, new DecodeOptions { ReduceLevels = reduce }, _run.CancellationToken);
        return _buffer.WrittenSpan;
    }

    private static void Check(CodecFrame frame, ReadOnlySpan<byte> decoded)
    {
        if (!decoded.SequenceEqual(frame.Pixels)) throw new InvalidDataException("A decoded frame differs from its source.");
    }
}
