using System.Runtime.InteropServices;
using Platform.Tests.Shared;

namespace Platform.Nifti.Tests;

public class NiftiWriterTests
{
    private static readonly NiftiAffine Supine = new(-0.7, 0, 0, 180, 0, -0.7, 0, 170, 0, 0, 3, -500);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WriteAsync_Labels_ReadsBackAsWritten(bool isCompressed)
    {
        var description = new NiftiVolumeDescription(NiftiDataType.UInt8, [7, 5, 4], Supine, IntentCode: NiftiWriter.LabelIntent);
        var voxels = Enumerable.Range(0, 140).Select(static i => (byte)(i % 6)).ToArray();
        using var folder = new TempFolder();
        var path = folder.Combine(isCompressed ? "labels.nii.gz" : "labels.nii");
        await using (var file = File.Create(path)) await NiftiWriter.WriteAsync(file, description, voxels, isCompressed, CancellationToken.None);

        using var source = NiftiSource.Open(path);
        var volume = await NiftiVolume.OpenAsync(source, null, null, CancellationToken.None);
        Assert.Equal((NiftiDataType.UInt8, NiftiWriter.LabelIntent, NiftiOrientationSource.SForm, "LPS"), (volume.Header.DataType, volume.Header.IntentCode, volume.Header.OrientationSource, volume.Header.Orientation));
        Assert.Equal(Supine.ToArray(), volume.Header.Affine.ToArray(), Near);
        Assert.Equal([0.7, 0.7, 3], volume.Header.SpacingMm, Near);
        var read = new byte[140];
        await volume.ReadAsync(0, read, CancellationToken.None);
        Assert.Equal(voxels, read);
    }

    [Fact]
    public void WriteHeader_WhatNifti1CannotHold_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => NiftiWriter.WriteHeader(new NiftiVolumeDescription(NiftiDataType.UInt8, [40_000, 2, 2], Supine)));
        Assert.Throws<ArgumentException>(() => NiftiWriter.WriteHeader(new NiftiVolumeDescription(NiftiDataType.Binary, [4, 2, 2], Supine)));
        Assert.Throws<ArgumentException>(() => NiftiWriter.WriteHeader(new NiftiVolumeDescription(NiftiDataType.UInt8, [4, 2, 2], Supine with { Xi = double.NaN })));
    }

    [Fact]
    public async Task WriteAsync_OtherNumberOfVoxels_IsRefused() => await Assert.ThrowsAsync<ArgumentException>(() =>
        NiftiWriter.WriteAsync(Stream.Null, new NiftiVolumeDescription(NiftiDataType.Int16, [4, 2, 2], Supine), new byte[31], false, CancellationToken.None));

    /// <summary>Turned by any angle, mirrored or not, and sheared: nibabel finds the same place for every voxel in sform, and in qform where there can be one.</summary>
    [ToolFact("nibabel")]
    public async Task WriteAsync_AnyOrientation_AgreesWithNibabel()
    {
        using var folder = new TempFolder();
        var random = new Random(5);
        var written = new Dictionary<string, (NiftiAffine Affine, bool IsRotation, float[] Voxels)>();
        for (var i = 0; i < 40; i++)
        {
            var affine = RandomRotation(random, i % 2 == 0);
            if (i % 8 == 7) affine = affine with { Xj = affine.Xj + 0.2 };
            if (i == 0) affine = Supine;
            var voxels = Enumerable.Range(0, 60).Select(_ => random.NextSingle() * 100).ToArray();
            var path = folder.Combine($"{i}.nii.gz");
            await using var file = File.Create(path);
            await NiftiWriter.WriteAsync(file, new NiftiVolumeDescription(NiftiDataType.Float32, [3, 4, 5], affine), MemoryMarshal.AsBytes(voxels.AsSpan()).ToArray(), true, CancellationToken.None);
            written[path] = (affine, i % 8 != 7, voxels);
        }

        foreach (var read in await NibabelOracle.ReadAsync(written.Keys))
        {
            var (affine, isRotation, voxels) = written[read.File];
            Assert.Equal(affine.ToArray(), read.Affine, Near);
            if (isRotation) Assert.Equal(affine.ToArray(), read.Qform!, Near);
            else Assert.Null(read.Qform);
            Assert.Equal((voxels.Min(), voxels.Max()), ((float)read.Min, (float)read.Max));
            Assert.Equal(("mm", 60L), (read.Units[0], read.Count));
        }
    }

    private static bool Near(double expected, double actual) => Math.Abs(expected - actual) <= 1e-4 * Math.Max(1, Math.Abs(expected));

    private static NiftiAffine RandomRotation(Random random, bool isMirrored)
    {
        var axis = Enumerable.Range(0, 4).Select(_ => random.NextDouble() - 0.5).ToArray();
        var norm = Math.Sqrt(axis.Sum(static value => value * value));
        return NiftiAffine.FromQuaternion(axis[1] / norm * Math.Sign(axis[0]), axis[2] / norm * Math.Sign(axis[0]), axis[3] / norm * Math.Sign(axis[0]), 10, -20, 30, 0.5 + random.NextDouble(), 0.5 + random.NextDouble(), 1 + random.NextDouble(), isMirrored ? -1 : 1);
    }
}
