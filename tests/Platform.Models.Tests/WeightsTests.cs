using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Platform.Tests.Shared;

namespace Platform.Models.Tests;

public class WeightsTests
{
    [Theory]
    [InlineData(WeightFormat.Safetensors)]
    [InlineData(WeightFormat.Hdf5)]
    [InlineData(WeightFormat.Torch)]
    [InlineData(WeightFormat.Pickle)]
    public async Task WriteAsync_ReadAgain_IsTheSameAndNoTruncationPasses(WeightFormat format)
    {
        using var folder = new TempFolder();
        var tensors = SomeTensors.All();
        var path = folder.Combine("w." + format.ToName());
        await using (var stream = File.Create(path)) await WeightFiles.WriteAsync(tensors, format, stream, default);

        var again = await WeightFiles.ReadAsync(path, format, default);

        Assert.Equal((await WeightLines.OfAsync("w", tensors)).Order(StringComparer.Ordinal), (await WeightLines.OfAsync("w", again)).Order(StringComparer.Ordinal));
        var whole = File.ReadAllBytes(path);
        for (var length = 0; length < whole.Length - 16; length += Math.Max(1, whole.Length / 97))
        {
            File.WriteAllBytes(path, whole[..length]);
            // A truncated HDF5 file may still have a sound first half: what it lists must then be refused when it is read.
            await Assert.ThrowsAnyAsync<ModelException>(async () =>
            {
                foreach (var tensor in await WeightFiles.ReadAsync(path, format, default)) await tensor.Data.ToArrayAsync(default);
            });
        }
    }

    [Theory]
    [InlineData(WeightFormat.Safetensors)]
    [InlineData(WeightFormat.Hdf5)]
    [InlineData(WeightFormat.Torch)]
    [InlineData(WeightFormat.Pickle)]
    public async Task ReadAsync_BytesSpoiled_IsReadOrRefusedButNeverWorse(WeightFormat format)
    {
        using var folder = new TempFolder();
        var path = folder.Combine("w." + format.ToName());
        await using (var stream = File.Create(path)) await WeightFiles.WriteAsync(SomeTensors.All(), format, stream, default);
        var whole = File.ReadAllBytes(path);
        var random = new Random(11);
        for (var round = 0; round < 300; round++)
        {
            var spoiled = (byte[])whole.Clone();
            // Structures lie at the beginning, a zip's directory at the end.
            for (var i = random.Next(1, 4); i > 0; i--) spoiled[round % 3 == 0 ? spoiled.Length - 1 - random.Next(Math.Min(spoiled.Length, 2000)) : random.Next(Math.Min(spoiled.Length, 3000))] = (byte)random.Next(256);
            File.WriteAllBytes(path, spoiled);
            try
            {
                foreach (var tensor in await WeightFiles.ReadAsync(path, format, default)) await tensor.Data.CopyToAsync(Stream.Null, default);
            }
            catch (ModelException)
            {
            }
        }
    }

    [Theory]
    [InlineData("cposix\nsystem\n(S'x'\ntR.", "posix.system")]
    [InlineData("\u0080\u0002cbuiltins\neval\n.", "builtins.eval")]
    [InlineData("\u0080\u0004\u008c\u0005posix\u008c\u0006system\u0093.", "posix.system")]
    [InlineData("(iposix\nsystem\n.", "posix.system")]
    [InlineData("\u0080\u0002ctorch\nload\n.", "torch.load")]
    [InlineData("\u0080\u0002c__builtin__\ngetattr\n.", "__builtin__.getattr")]
    [InlineData("\u0080\u0002}}\u0081.", "NEWOBJ")]
    [InlineData("\u0080\u0002}(o.", "OBJ")]
    [InlineData("\u0080\u0002\u0082\u0001.", "0x82")]
    [InlineData("\u0080\u0002h\u0005.", "recalls")]
    [InlineData("\u0080\u0002]q\0h\0a.", "nests too deep or holds itself")]
    [InlineData("\u0080\u0002X\u00ff\u00ff\u00ff\u007f.", "text that is too long")]
    [InlineData("\u0080\u0004\u008e\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f.", "bytes beyond its end")]
    [InlineData("\u0080\u0002\u008b\u00ff\u00ff\u00ff\u007f.", "number that is too long")]
    [InlineData("t.", "no mark")]
    [InlineData(".", "empty stack")]
    [InlineData("", "ends early")]
    public async Task ReadAsync_HostilePickle_IsRefusedByName(string pickle, string said)
    {
        using var folder = new TempFolder();
        var path = folder.Combine("w.pkl");
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(pickle));

        var refused = await Assert.ThrowsAsync<ModelException>(() => WeightFiles.ReadAsync(path, WeightFormat.Pickle, default));

        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_PickleOfListsWithinListsTwice_EndsInTime()
    {
        using var folder = new TempFolder();
        var path = folder.Combine("w.pkl");
        // Each list holds the one before it twice: 2^30 leaves of 60 bytes.
        var pickle = "\u0080\u0002]q\0" + string.Concat(Enumerable.Range(0, 30).Select(static i => $"](h{(char)i}h{(char)i}eq{(char)(i + 1)}")) + ".";
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(pickle));

        await Assert.ThrowsAsync<ModelException>(() => WeightFiles.ReadAsync(path, WeightFormat.Pickle, default));
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 8, "other bytes than its shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 8, "belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "a gap or an overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "a gap or an overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "larger than allowed")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "shape that is none")]
    [InlineData("""{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}""", 4, "type that is not known")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,99]}}""", 4, "outside the file")]
    [InlineData("""{"a":5}""", 0, "does not say type, shape and place")]
    [InlineData("""[1]""", 0, "no object")]
    [InlineData("""{"a":""", 0, "no JSON")]
    public async Task ReadAsync_HostileSafetensors_IsRefused(string header, int bytes, string said)
    {
        using var folder = new TempFolder();
        var path = folder.Combine("w.safetensors");
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        File.WriteAllBytes(path, [.. length, .. Encoding.UTF8.GetBytes(header), .. new byte[bytes]]);

        Assert.Contains(said, (await Assert.ThrowsAsync<ModelException>(() => WeightFiles.ReadAsync(path, WeightFormat.Safetensors, default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_SafetensorsHeaderLongerThanFile_IsRefused()
    {
        using var folder = new TempFolder();
        var path = folder.Combine("w.safetensors");
        File.WriteAllBytes(path, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, (byte)'{', (byte)'}']);

        await Assert.ThrowsAsync<ModelException>(() => WeightFiles.ReadAsync(path, WeightFormat.Safetensors, default));
    }

    [Fact]
    public async Task ReadAsync_TorchFileWithTorchScript_IsRefusedByName()
    {
        using var folder = new TempFolder();
        var path = folder.Combine("w.pt");
        using (var zip = ZipFile.Open(path, ZipArchiveMode.Create))
            foreach (var name in (string[])["a/data.pkl", "a/constants.pkl", "a/code/x.py"]) zip.CreateEntry(name);

        Assert.Contains("TorchScript", (await Assert.ThrowsAsync<ModelException>(() => WeightFiles.ReadAsync(path, WeightFormat.Torch, default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_Hdf5GroupThatHoldsItself_EndsInTime()
    {
        using var folder = new TempFolder();
        var path = folder.Combine("w.h5");
        await using (var stream = File.Create(path)) await WeightFiles.WriteAsync([SomeTensors.Make("a", TensorElement.Float32, 2)], WeightFormat.Hdf5, stream, default);
        var bytes = File.ReadAllBytes(path);
        // The one symbol's object header becomes the root group's.
        var node = bytes.AsSpan().IndexOf("SNOD"u8);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(node + 16), 96);
        File.WriteAllBytes(path, bytes);

        Assert.Contains("no datasets", (await Assert.ThrowsAsync<ModelException>(() => WeightFiles.ReadAsync(path, WeightFormat.Hdf5, default))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(WeightFormat.Safetensors)]
    [InlineData(WeightFormat.Hdf5)]
    [InlineData(WeightFormat.Torch)]
    [InlineData(WeightFormat.Pickle)]
    public async Task SplitAsync_JoinedAgain_IsTheSameFileByteForByte(WeightFormat format)
    {
        using var folder = new TempFolder();
        var onnx = new OnnxBuilder().Floats("scale", 1, 2, 3, 4).Floats("shift", 5, 6, 7, 8).Integers("axes", 1, -1).Raw("bytes", 2, [300], ManifestBuilder.Bytes(300, 1)).Raw("none", 1, [0], []).Build();
        File.WriteAllBytes(folder.Combine("m.onnx"), onnx);

        await WeightForms.SplitAsync(folder.Combine("m.onnx"), folder.Combine("graph"), folder.Combine("weights"), format, default);
        await WeightForms.JoinAsync(folder.Combine("graph"), folder.Combine("weights"), format.ToName(), folder.Combine("again.onnx"), default);

        Assert.Equal(onnx, File.ReadAllBytes(folder.Combine("again.onnx")));
        Assert.True(new FileInfo(folder.Combine("graph")).Length < onnx.Length - 300);
        Assert.Equal(["bytes", "scale", "shift"], (await WeightFiles.ReadAsync(folder.Combine("weights"), format, default)).Select(static tensor => tensor.Name).Order());
    }

    [Fact]
    public async Task ReplaceOnnxAsync_OtherWeights_ChangeThemAndNothingElse()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder.Combine("a.onnx"), new OnnxBuilder().Floats("scale", 1, 2, 3, 4).Floats("shift", 5, 6, 7, 8).Integers("axes", 1, -1).Build());
        File.WriteAllBytes(folder.Combine("b.onnx"), new OnnxBuilder().Floats("scale", 9, 9, 9, 9).Floats("shift", 0, 0, 0, 0).Integers("axes", 1, -1).Build());
        IReadOnlyList<WeightTensor> weights = [.. WeightFiles.ReadOnnx(folder.Combine("b.onnx")).Where(static tensor => tensor.Name != "axes").Select(static tensor => tensor with { Name = "state_dict." + tensor.Name })];

        await using (var to = File.Create(folder.Combine("c.onnx"))) await WeightFiles.ReplaceOnnxAsync(folder.Combine("a.onnx"), weights, to, default);

        Assert.Equal(File.ReadAllBytes(folder.Combine("b.onnx")), File.ReadAllBytes(folder.Combine("c.onnx")));
    }

    [Theory]
    [InlineData("scale", 3, "scale is [3]; the graph takes [4]")]
    [InlineData("weight", 4, "no initialiser called weight")]
    [InlineData("shift", 4, "lack scale")]
    public async Task ReplaceOnnxAsync_WeightsOfAnotherGraph_SaysWhich(string name, int length, string said)
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder.Combine("a.onnx"), new OnnxBuilder().Floats("scale", 1, 2, 3, 4).Floats("shift", 5, 6, 7, 8).Build());

        var refused = await Assert.ThrowsAsync<ModelException>(() => WeightFiles.ReplaceOnnxAsync(folder.Combine("a.onnx"), [SomeTensors.Make(name, TensorElement.Float32, length)], Stream.Null, default));

        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadOnnx_ExternalData_IsReadFromItsFolderOnly()
    {
        using var folder = new TempFolder();
        var bytes = ManifestBuilder.Bytes(48, 3);
        File.WriteAllBytes(folder.Combine("w.data"), bytes);
        File.WriteAllBytes(folder.Combine("m.onnx"), new OnnxBuilder().External("scale", [4], "w.data", 16).Build());
        File.WriteAllBytes(folder.Combine("out.onnx"), new OnnxBuilder().External("scale", [4], "../w.data", 16).Build());
        File.WriteAllBytes(folder.Combine("far.onnx"), new OnnxBuilder().External("scale", [4], "w.data", 40).Build());

        Assert.Equal(bytes[16..32], await WeightFiles.ReadOnnx(folder.Combine("m.onnx"))[0].Data.ToArrayAsync(default));
        Assert.Contains("outside its folder", Assert.Throws<ModelException>(() => WeightFiles.ReadOnnx(folder.Combine("out.onnx"))).Message, StringComparison.Ordinal);
        Assert.Contains("beyond the end", Assert.Throws<ModelException>(() => WeightFiles.ReadOnnx(folder.Combine("far.onnx"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadOnnx_AnyTruncationOrSpoiling_IsRefusedOrReadButNeverWorse()
    {
        using var folder = new TempFolder();
        var whole = new OnnxBuilder().Floats("scale", 1, 2, 3, 4).Floats("shift", 5, 6, 7, 8).Integers("axes", 1, -1).Build();
        var random = new Random(3);
        for (var round = 0; round < whole.Length + 300; round++)
        {
            var bytes = round < whole.Length ? whole[..round] : (byte[])whole.Clone();
            if (round >= whole.Length) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(folder.Combine("m.onnx"), bytes);
            try
            {
                _ = WeightFiles.ReadOnnx(folder.Combine("m.onnx"));
            }
            catch (ModelException)
            {
            }
        }
    }
}
