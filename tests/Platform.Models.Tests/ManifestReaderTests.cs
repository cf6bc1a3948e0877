using System.Text;
using System.Text.Json.Nodes;
using Platform.Tests.Shared;

namespace Platform.Models.Tests;

public class ManifestReaderTests
{
    private const string Sha = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public void Read_EveryMember_IsThere()
    {
        var manifest = Read("""
            {
              "schema": 1, "name": "Depth.1", "title": "t", "version": "2.1+x", "description": "d", "task": "depth", "licence": "MIT", "card": "d/README.md",
              "files": [ { "path": "a/m.onnx", "source": "d/m.onnx", "sha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "bytes": 5 },
                         { "path": "w.data", "urls": ["https://a.example/w", "http://127.0.0.1/w"] } ],
              "runs": "a/m.onnx", "runsAfter": "nothing",
              "inputs": [ { "name": "in", "element": "float32", "shape": [1, 3, "H", "W"], "layout": "NCHW", "unit": "rgb", "preprocessing": {
                "spacing": [1, 0.5, 0.5], "resize": { "mode": "fit", "filter": "bicubic", "height": 256, "width": 128, "multipleOf": 32 },
                "range": { "from": [0, 255], "to": [0, 1] }, "mean": [0.1, 0.2, 0.3], "std": [0.5], "fill": -7.5 } } ],
              "outputs": [ { "name": "out", "element": "uint8", "shape": [1, "H", "W"], "layout": "NHW", "unit": "inverse-depth", "threshold": 0.25 } ],
              "labels": [ { "value": 3, "name": "bone", "color": "#FFeedd" } ]
            }
            """);

        Assert.Equal(("Depth.1", "t", "2.1+x", ModelTask.Depth, "a/m.onnx"), (manifest.Name, manifest.Title, manifest.Version, manifest.Task, manifest.Runs));
        Assert.Equal((5L, Sha, "d/m.onnx"), (manifest.Files[0].Bytes, manifest.Files[0].Sha256, manifest.Files[0].Source));
        Assert.Equal(2, manifest.Files[1].Urls.Length);
        var input = manifest.Inputs[0];
        Assert.Equal((TensorElement.Float32, InputUnit.Rgb, "NCHW", "1,3,H,W"), (input.Element, input.Unit, input.Layout, string.Join(',', input.Shape)));
        Assert.Equal(new ResizeStep(ResizeMode.Fit, ResizeFilter.Bicubic, 256, 128, 32), input.Preprocessing.Resize);
        Assert.Equal(new RangeStep(0, 255, 0, 1), input.Preprocessing.Range);
        Assert.Equal([0.1, 0.2, 0.3], input.Preprocessing.Mean.ToArray());
        Assert.Equal((-7.5, 0.5), (input.Preprocessing.Fill, input.Preprocessing.SpacingMm[2]));
        Assert.Equal((OutputUnit.InverseDepth, 0.25), (manifest.Outputs[0].Unit, manifest.Outputs[0].Threshold));
        Assert.Equal("bone", manifest.LabelOf(3)?.Name);
        Assert.Null(manifest.LabelOf(4));
    }

    [Theory]
    [InlineData("name", "\"../x\"", "name: letters")]
    [InlineData("name", "\"\"", "name: must have 1 to 64 characters")]
    [InlineData("nmae", "1", "nmae: there is no such member")]
    [InlineData("schema", "2", "schema: this program reads schema 1")]
    [InlineData("task", "\"cooking\"", "task: must be one of segmentation, depth, other")]
    [InlineData("licence", "5", "licence: must be a text")]
    [InlineData("files", "[]", "files: must have 1 to 64 entries")]
    [InlineData("files", """[ { "path": "../m.onnx", "urls": ["https://a/b"] } ]""", "files[0]: path: a relative path")]
    [InlineData("files", """[ { "path": "/m.onnx", "urls": ["https://a/b"] } ]""", "files[0]: path: a relative path")]
    [InlineData("files", """[ { "path": "m.onnx", "urls": ["ftp://a/b"] } ]""", "files[0]: urls[0]: an absolute https")]
    [InlineData("files", """[ { "path": "m.onnx", "urls": ["https://user:secret@a/b"] } ]""", "files[0]: urls[0]: an absolute https")]
    [InlineData("files", """[ { "path": "m.onnx", "urls": ["https://a/b"], "sha256": "XYZ" } ]""", "files[0]: sha256: 64 lower-case")]
    [InlineData("files", """[ { "path": "m.onnx" } ]""", "files[0]: urls: a file has a source or urls")]
    [InlineData("files", """[ { "path": "m.onnx", "source": "a" }, { "path": "M.ONNX", "source": "b" } ]""", "two files are called")]
    [InlineData("runs", "\"other.onnx\"", "runs: other.onnx is none of the files")]
    [InlineData("runs", null, "runsAfter: a model of which nothing runs")]
    [InlineData("inputs", """[ { "name": "x", "element": "float32", "shape": [0], "unit": "any" } ]""", "inputs[0]: shape[0]: a dimension is")]
    [InlineData("inputs", """[ { "name": "x", "element": "float31", "shape": [1], "unit": "any" } ]""", "inputs[0]: element: must be one of")]
    [InlineData("inputs", """[ { "name": "x", "element": "float32", "shape": [1, 4], "layout": "NCHW", "unit": "any" } ]""", "inputs[0]: layout: a letter")]
    [InlineData("inputs", """[ { "name": "x", "element": "float32", "shape": [1, 1, 4, 4], "layout": "NCHW", "unit": "rgb" } ]""", "a colour picture has 3 channels, not 1")]
    [InlineData("inputs", """[ { "name": "x", "element": "float32", "shape": [1], "unit": "any", "preprocessing": { "std": [0] } } ]""", "std: not 0")]
    [InlineData("inputs", """[ { "name": "x", "element": "float32", "shape": [1], "unit": "any", "preprocessing": { "range": { "from": [5, 5], "to": [0, 1] } } } ]""", "from: [low, high], low below high")]
    [InlineData("labels", """[ { "value": 1, "name": "a", "color": "#00000g" } ]""", "labels[0]: color: #rrggbb")]
    [InlineData("labels", """[ { "value": 1, "name": "a", "color": "#000000" }, { "value": 1, "name": "b", "color": "#000000" } ]""", "two labels have the same value")]
    public void Read_WrongMember_SaysWhereAndWhat(string member, string? value, string said)
    {
        var json = ManifestBuilder.Json("m", ManifestBuilder.File("m.onnx", urls: "https://a.example/m"));
        if (value is null) json.Remove(member);
        else json[member] = JsonNode.Parse(value);

        var refused = Assert.Throws<ModelException>(() => Read(json.ToJsonString()));

        Assert.Equal(ModelFault.Invalid, refused.Fault);
        Assert.StartsWith("m.json: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"schema\":1,\"schema\":1}")]
    [InlineData("{\"name\":\"\\ud800\"}")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]")]
    public void Read_NoManifest_IsRefused(string json) => Assert.Equal(ModelFault.Invalid, Assert.Throws<ModelException>(() => Read(json)).Fault);

    [Fact]
    public void Load_OneBrokenManifest_LeavesTheOthers()
    {
        using var folder = new TempFolder();
        ManifestBuilder.Json("Good", ManifestBuilder.File("m.onnx", urls: "https://a.example/m")).Save(folder.Path);
        File.WriteAllText(folder.Combine("bad.json"), "{}");

        var catalogue = ModelCatalogue.Load(folder.Path, folder.Combine("absent", "x"));

        Assert.Equal("Good", Assert.Single(catalogue.Models).Name);
        Assert.NotNull(catalogue.Find("gOOD"));
        Assert.StartsWith("bad.json: ", Assert.Single(catalogue.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_ManifestsThatShip_AreSoundAndMatchTheirFiles()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "models");
        var catalogue = ModelCatalogue.Load(folder);

        Assert.Empty(catalogue.Problems);
        Assert.Subset(catalogue.Models.Select(static model => model.Name).ToHashSet(), new HashSet<string> { "ct-tissue", "DPT_Large", "DPT_Hybrid", "MiDaS", "MiDaS_small" });
        foreach (var file in catalogue.Models.SelectMany(static model => model.Files).Where(static file => file.Source is not null))
        {
            var path = Path.Combine(folder, file.Source!);
            Assert.Equal(file.Sha256, await BlobDigest.OfFileAsync(path, default));
            Assert.Equal(file.Bytes, new FileInfo(path).Length);
        }
    }

    private static ModelManifest Read(string json) => ManifestReader.Read(Encoding.UTF8.GetBytes(json), "m.json", "/nowhere");
}
