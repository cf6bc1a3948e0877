using Platform.Tests.Shared;

namespace Platform.Nifti.Tests;

public class OracleTests
{
    [ToolFact("nibabel", Data = "nifti")]
    public async Task Open_RealFiles_AgreesWithNibabel()
    {
        var files = TestData.GetFiles("nifti");
        var oracle = await NibabelOracle.ReadAsync(files);
        Assert.Equal(files.Count, oracle.Count);

        foreach (var expected in oracle)
        {
            using var source = NiftiSource.Open(expected.File);
            var volume = await NiftiVolume.OpenAsync(source, null, null, CancellationToken.None);
            try
            {
                await NibabelOracle.AssertSameAsync(expected, volume);
            }
            catch (Xunit.Sdk.XunitException exception)
            {
                Assert.Fail($"{Path.GetFileName(expected.File)}: {exception.Message}");
            }
        }
    }

    /// <summary>Every type of number, both byte orders, both versions, every form of orientation, plain and gzipped.</summary>
    [ToolFact("nibabel")]
    public async Task Open_SyntheticFiles_AgreesWithNibabel()
    {
        using var folder = new TempFolder();
        var random = new Random(1);
        var paths = new List<string>();
        (short Code, int Bits)[] types = [(2, 8), (4, 16), (8, 32), (16, 32), (32, 64), (64, 64), (256, 8), (512, 16), (768, 32), (1024, 64), (1280, 64), (1792, 128), (128, 24), (2304, 32)];
        for (var i = 0; i < types.Length * 4; i++)
        {
            var (code, bits) = types[i / 4];
            var voxels = new byte[7 * 5 * 3 * bits / 8];
            random.NextBytes(voxels);
            if (code is 64 or 1792)
            {
                // Any bits would be numbers beyond what percentiles are promised for.
                var numbers = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(voxels.AsSpan());
                for (var n = 0; n < numbers.Length; n++)
                {
                    var bits64 = BitConverter.DoubleToUInt64Bits((random.NextDouble() - 0.3) * 1e5);
                    numbers[n] = i % 4 >= 2 ? System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(bits64) : bits64;
                }
            }
            var turn = Enumerable.Range(0, 3).Select(_ => random.NextDouble() * 0.3 - 0.15).ToArray();
            if (i % 3 > 0) turn[i % 3] += 0.7; // a quarter turn and some
            var builder = new NiftiBuilder
            {
                Version = 1 + i % 2,
                IsBigEndian = i % 4 >= 2,
                DataType = code,
                BitsPerVoxel = bits,
                Sizes = [7, 5, 3],
                Spacing = [0.5 + random.NextDouble(), 0.5 + random.NextDouble(), 0.5 + random.NextDouble()],
                Slope = i % 3 == 0 ? 1 : random.NextDouble() * 3 - 1.5,
                Intercept = i % 3 == 0 ? 0 : random.NextDouble() * 10,
                ExtensionBytes = i % 5 * 16,
                SForm = i % 7 < 3 ? Oblique(random) : null,
                QForm = i % 7 < 6 ? [turn[0], turn[1], turn[2], random.NextDouble(), random.NextDouble(), random.NextDouble(), i % 2 == 0 ? 1 : -1] : null,
                Voxels = voxels,
            };
            var path = folder.Combine(i % 3 == 1 ? $"{i}.nii.gz" : $"{i}.nii");
            await File.WriteAllBytesAsync(path, i % 3 == 1 ? builder.BuildGzip() : builder.Build());
            paths.Add(path);
        }

        foreach (var expected in await NibabelOracle.ReadAsync(paths))
        {
            using var source = NiftiSource.Open(expected.File);
            var volume = await NiftiVolume.OpenAsync(source, null, null, CancellationToken.None);
            try
            {
                await NibabelOracle.AssertSameAsync(expected, volume);
            }
            catch (Xunit.Sdk.XunitException exception)
            {
                Assert.Fail($"{Path.GetFileName(expected.File)}, {volume.Header.DataType}: {exception.Message}");
            }
        }
    }

    /// <summary>Voxel axes along body axes in any order and direction, with their own spacing, turned and sheared a little.</summary>
    private static double[] Oblique(Random random)
    {
        var rows = new double[12];
        int[] axes = [0, 1, 2];
        random.Shuffle(axes);
        for (var row = 0; row < 3; row++)
        {
            for (var column = 0; column < 3; column++) rows[row * 4 + column] = random.NextDouble() * 0.5 - 0.25;
            rows[row * 4 + axes[row]] = (random.Next(2) * 2 - 1) * (1 + random.NextDouble());
            rows[row * 4 + 3] = random.NextDouble() * 200 - 100;
        }
        return rows;
    }
}
