using System.Buffers;
using ImageApi.Frames;
using Microsoft.Extensions.DependencyInjection;
using Platform.Codecs;
using Platform.Codecs.Htj2k;
using Platform.Codecs.JpegLs;

namespace ImageApi.Tests.Frames;

/// <summary>The real HTJ2K encoder, counted, held up until it is let go, and made to lie where a test says so.</summary>
internal sealed class TestEncoder : IFrameEncoder
{
    private static readonly Htj2kFrameEncoder Real = new();
    private int _calls, _cancelled;

    public int Calls => Volatile.Read(ref _calls);

    public int Cancelled => Volatile.Read(ref _cancelled);

    /// <summary>Closed: encoding waits.</summary>
    public ManualResetEventSlim Gate { get; } = new(initialState: true);

    /// <summary>Pixels that need not wait.</summary>
    public byte[]? Passes { get; set; }

    /// <summary>Changes one pixel before it encodes.</summary>
    public bool Lies { get; set; }

    /// <summary>Gives something that is no stream.</summary>
    public bool Stammers { get; set; }

    public string Recipe => Real.Recipe;

    public void Replace(IServiceCollection services) => services.AddSingleton(new FrameEncoders(this, new JpegLsFrameEncoder()));

    public void Encode(ReadOnlySpan<byte> pixels, in FrameDescription frame, IBufferWriter<byte> stream, IList<long>? resolutionEnds, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        try
        {
            if (Passes is null || !pixels.SequenceEqual(Passes)) Assert.True(Gate.Wait(TimeSpan.FromSeconds(30), cancellationToken));
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _cancelled);
            throw;
        }
        if (Stammers)
        {
            stream.Write("no stream"u8);
            return;
        }
        var copy = pixels.ToArray();
        if (Lies) copy[copy.Length / 2 & ~1] ^= 1;
        Real.Encode(copy, frame, stream, resolutionEnds, cancellationToken);
    }
}
