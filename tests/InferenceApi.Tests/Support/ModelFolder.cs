using System.Text.Json.Nodes;
using Platform.Tests.Shared;

namespace InferenceApi.Tests.Support;

/// <summary>A folder of models of a test's own, with a manifest for each.</summary>
internal sealed class ModelFolder : IDisposable
{
    private readonly TempFolder _folder = new();

    public string Path => _folder.Path;

    /// <summary>Adds a model; inputs and outputs are "name element N,4".</summary>
    public ModelFolder Add(string name, byte[] model, string[] inputs, string[] outputs, string version = "1")
    {
        File.WriteAllBytes(_folder.Combine($"{name}.onnx"), model);
        File.WriteAllText(_folder.Combine($"{name}.json"), new JsonObject
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
