using System.Buffers;

namespace Platform.Codecs.Tests;

/// <summary>
/// Broken streams from good ones, by a seed: flipped bits, overwritten, removed and repeated stretches, cuts. PLATFORM_FUZZ_COUNT
/// raises the number, 2,000 by default.
/// </summary>
internal static class Mutations
{
    public static int Count => int.TryParse(Environment.GetEnvironmentVariable("PLATFORM_FUZZ_COUNT"), out var asked) ? asked : 2000;

    public static void Run(byte[] good, FrameDescription frame, IFrameDecoder decoder)
    {
        var count = Count;
        for (var seed = 0; seed < count; seed++)
        {
            var broken = Mutate(good, new Random(seed));
            var pixels = new ArrayBufferWriter<byte>();
            try
            {
                decoder.Decode(new ReadOnlySequence<byte>(broken), frame, pixels, new DecodeOptions { MaxFrameBytes = 1 << 20 }, CancellationToken.None);
                Assert.Equal(frame.ByteLength, pixels.WrittenCount);
            }
            catch (InvalidFrameException)
            {
                Assert.Equal(0, pixels.WrittenCount);
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {seed}: {exception}");
            }
        }
    }

    public static byte[] Mutate(byte[] good, Random random)
    {
        var bytes = new List<byte>(good);
        for (var times = random.Next(1, 5); times > 0 && bytes.Count > 4; times--)
        {
            // Headers are short and matter most: half of the changes go there.
            var at = random.Next(random.Next(2) == 0 ? Math.Min(bytes.Count, 700) : bytes.Count);
            var length = Math.Min(random.Next(1, 20), bytes.Count - at);
            switch (random.Next(5))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: for (var i = 0; i < length; i++) bytes[at + i] = (byte)random.Next(256); break;
                case 2: bytes.RemoveRange(at, length); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                default: bytes.RemoveRange(at, bytes.Count - at); break;
            }
        }
        return [.. bytes];
    }
}
