using System.Text.Json.Nodes;
using Platform.Tests.Shared;

namespace InferenceApi.Tests.Support;

/// <summary>A folder of models of a test's own, with a manifest for each in its catalogue.</summary>
internal sealed class ModelFolder : IDisposable
{
    private readonly TempFolder _folder = new();

    public string Path => _folder.Path;

    /// <summary>Adds a model; inputs and outputs are "name element N,4".</summary>
    public ModelFolder Add(string name, byte[] model, string[] inputs, string[] outputs, string version = "1")
    {
        File.WriteAllBytes(_folder.Combine("catalogue", $"{name}.onnx"), model);
        File.WriteAllText(_folder.Combine("catalogue", $"{name}.json"), new JsonObject
        {
            ["schema"] = 1,
            ["name"] = name,
            ["version"] = version,
            ["task"] = "other",
            ["licence"] = "MIT",
            ["files"] = new JsonArray(new JsonObject { ["path"] = "model.onnx", ["source"] = $"{name}.onnx" }),
            ["runs"] = "model.onnx",
            ["inputs"] = new JsonArray([.. inputs.Select(Tensor)]),
            ["outputs"] = new JsonArray([.. outputs.Select(Tensor)]),
        }.ToJsonString());
        return this;
    }

    public ModelFolder AddScale(string name = "scale", float factor = 2) => Add(name, OnnxModelBuilder.Scale(factor), ["x float32 N,4"], ["y float32 N,4"]);

    /// <summary>Adds a segmentation of pictures: what is bright, by a convolution over the three channels and a sigmoid of its own; takes 32 x 32.</summary>
    public ModelFolder AddBright(string name = "bright")
    {
        var model = new OnnxModelBuilder().Input("image", OnnxModelBuilder.Float, "N", 3, 32, 32).Output("logits", OnnxModelBuilder.Float, "N", 1, 32, 32)
            .Floats("weights", [4, 4, 4], 1, 3, 1, 1).Floats("bias", [-6], 1).Node("Conv", ["image", "weights", "bias"], ["logits"]).Build();
        File.WriteAllBytes(_folder.Combine("catalogue", $"{name}.onnx"), model);
        File.WriteAllText(_folder.Combine("catalogue", $"{name}.json"), $$"""
            { "schema": 1, "name": "{{name}}", "version": "1", "task": "segmentation", "licence": "MIT",
              "files": [ { "path": "model.onnx", "source": "{{name}}.onnx" } ], "runs": "model.onnx",
              "inputs": [ { "name": "image", "element": "float32", "shape": [ "N", 3, 32, 32 ], "layout": "NCHW", "unit": "rgb",
                "preprocessing": { "resize": { "mode": "stretch" }, "range": { "from": [ 0, 255 ], "to": [ 0, 1 ] } } } ],
              "outputs": [ { "name": "logits", "element": "float32", "shape": [ "N", 1, 32, 32 ], "layout": "NCHW", "unit": "logit" } ],
              "labels": [ { "value": 0, "name": "background", "color": "#000000" }, { "value": 1, "name": "bright", "color": "#ff0000" } ] }
            """);
        return this;
    }

    public void Dispose() => _folder.Dispose();

    private static JsonNode Tensor(string text)
    {
        var parts = text.Split(' ');
        return new JsonObject
        {
            ["name"] = parts[0],
            ["element"] = parts[1],
            ["shape"] = new JsonArray([.. parts[2].Split(',').Select(static size => (JsonNode)(long.TryParse(size, out var number) ? JsonValue.Create(number) : JsonValue.Create(size)))]),
            ["unit"] = "any",
        };
    }
}
