using System.Collections.Immutable;
using System.Text.Json;

namespace Platform.Models;

/// <summary>Reads manifests. Strict: a member that the schema lacks, a value out of its bounds or a slip in JSON is an error that names where it is.</summary>
public static class ManifestReader
{
    /// <summary>The largest manifest, in bytes.</summary>
    public const int MaxBytes = 1 << 20;

    private const int MaxDepth = 16, MaxFiles = 64, MaxUrls = 16, MaxTensors = 64, MaxDimensions = 8, MaxLabels = 4096, MaxSide = 1 << 20;
    private const long MaxFileBytes = 1L << 40;

    /// <summary>Reads a manifest from UTF-8 JSON.</summary>
    /// <param name="json">The text; copied.</param>
    /// <param name="what">What it is called in errors, such as the file's name.</param>
    /// <param name="folder">The folder that <see cref="ModelFile.Source"/> is relative to. Null: sources are errors, for manifests that came from outside.</param>
    /// <exception cref="ModelException">It is not one.</exception>
    public static ModelManifest Read(ReadOnlyMemory<byte> json, string what, string? folder)
    {
        if (json.Length > MaxBytes) throw ModelException.Invalid($"{what}: longer than a manifest may be ({MaxBytes} bytes).");
        var text = json.ToArray();
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
        }
        catch (JsonException failure)
        {
            throw ModelException.Invalid($"{what}: no JSON: {failure.Message}", failure);
        }
        using (document)
        {
            try
            {
                var manifest = ReadManifest(new JsonMembers(document.RootElement, what), text, folder);
                Check(manifest, what);
                return manifest;
            }
            catch (InvalidOperationException failure)
            {
                throw ModelException.Invalid($"{what}: has a text that is no valid Unicode.", failure);
            }
        }
    }

    /// <summary>Whether a text may be a model's name.</summary>
    public static bool IsName(string? name) =>
        name is { Length: > 0 and <= 64 } && char.IsAsciiLetterOrDigit(name[0]) && name.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_');

    /// <summary>Whether a text may be a model's version.</summary>
    public static bool IsVersion(string? version) =>
        version is { Length: > 0 and <= 64 } && char.IsAsciiLetterOrDigit(version[0]) && version.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' or '+');

    /// <summary>Whether a text may be a file's path: relative, forward slashes, no way out of its folder, nothing that a file system reads otherwise.</summary>
    public static bool IsPath(string? path) =>
        path is { Length: > 0 and <= 200 }
        && !path.Any(static letter => letter is '\\' or ':' or '*' or '?' or '"' or '<' or '>' or '|' || char.IsControl(letter))
        && path.Split('/').All(static part => part.Length > 0 && part is not ("." or "..") && part[^1] is not (' ' or '.'));

    private static ModelManifest ReadManifest(JsonMembers root, byte[] text, string? folder)
    {
        if (root.Integer("schema", 1, int.MaxValue) != 1) throw root.Wrong("schema", "this program reads schema 1");
        var name = root.Text("name", 64);
        if (!IsName(name)) throw root.Wrong("name", "letters, digits, '.', '-' and '_', 64 at most");
        var version = root.Text("version", 64);
        if (!IsVersion(version)) throw root.Wrong("version", "letters, digits, '.', '-', '_' and '+', 64 at most");
        var manifest = new ModelManifest
        {
            Name = name,
            Version = version,
            Title = root.OptionalText("title", 200) ?? name,
            Description = root.OptionalText("description", 4000),
            Task = root.Choice("task", ("segmentation", ModelTask.Segmentation), ("depth", ModelTask.Depth), ("other", ModelTask.Other)),
            Licence = root.Text("licence", 400),
            Card = root.OptionalText("card", 200),
            Files = root.List("files", 1, MaxFiles, file => ReadFile(file, folder)),
            Runs = root.OptionalText("runs", 200),
            RunsAfter = root.OptionalText("runsAfter", 2000),
            Inputs = root.List("inputs", 1, MaxTensors, ReadInput),
            Outputs = root.List("outputs", 1, MaxTensors, ReadOutput),
            Labels = root.OptionalList("labels", MaxLabels, ReadLabel),
            Json = text,
            Folder = folder is null ? null : Path.GetFullPath(folder),
        };
        root.NothingElse();
        return manifest;
    }

    private static ModelFile ReadFile(JsonMembers file, string? folder)
    {
        var path = file.Text("path", 200);
        if (!IsPath(path)) throw file.Wrong("path", "a relative path with forward slashes that stays in its folder");
        var source = file.OptionalText("source", 200);
        if (source is not null && !IsPath(source)) throw file.Wrong("source", "a relative path with forward slashes that stays in its folder");
        var urls = file.OptionalTexts("urls", MaxUrls, 2000).Select((text, index) =>
            Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "https" or "http" && url.UserInfo.Length == 0
                ? url
                : throw file.Wrong($"urls[{index}]", "an absolute https or http address without credentials")).ToImmutableArray();
        // Outside a folder of manifests a source is no file's name; what the manifest came with has the bytes.
        if (source is null && urls.IsEmpty && folder is not null) throw file.Wrong("urls", "a file has a source or urls");
        var sha256 = file.OptionalText("sha256", 64);
        if (sha256 is not null && !BlobDigest.IsDigest(sha256)) throw file.Wrong("sha256", "64 lower-case hexadecimal digits");
        var bytes = file.OptionalInteger("bytes", 1, MaxFileBytes);
        file.NothingElse();
        return new ModelFile { Path = path, Source = source, Urls = urls, Sha256 = sha256, Bytes = bytes };
    }

    private static ModelInput ReadInput(JsonMembers input)
    {
        var (name, element, shape, layout) = ReadTensor(input);
        var unit = input.Choice("unit", ("any", InputUnit.Any), ("hounsfield", InputUnit.Hounsfield), ("rgb", InputUnit.Rgb), ("bgr", InputUnit.Bgr), ("grey", InputUnit.Grey));
        var preprocessing = input.OptionalObject("preprocessing", ReadPreprocessing) ?? Preprocessing.None;
        input.NothingElse();
        return new ModelInput { Name = name, Element = element, Shape = shape, Layout = layout, Unit = unit, Preprocessing = preprocessing };
    }

    private static ModelOutput ReadOutput(JsonMembers output)
    {
        var (name, element, shape, layout) = ReadTensor(output);
        var unit = output.Choice("unit", ("any", OutputUnit.Any), ("label", OutputUnit.Label), ("probability", OutputUnit.Probability), ("logit", OutputUnit.Logit),
            ("inverse-depth", OutputUnit.InverseDepth), ("metre", OutputUnit.Metre));
        var threshold = output.OptionalNumber("threshold", 0, 1) ?? 0.5;
        output.NothingElse();
        return new ModelOutput { Name = name, Element = element, Shape = shape, Layout = layout, Unit = unit, Threshold = threshold };
    }

    private static (string Name, TensorElement Element, ImmutableArray<Dimension> Shape, string? Layout) ReadTensor(JsonMembers tensor)
    {
        var name = tensor.Text("name", 400);
        var element = tensor.Choice("element", TensorElements.Names);
        var shape = tensor.Values("shape", 1, MaxDimensions, (value, at) => value.ValueKind switch
        {
            JsonValueKind.Number when value.TryGetInt64(out var size) && size is > 0 and <= int.MaxValue => new Dimension(size),
            JsonValueKind.String when IsName(value.GetString()) => new Dimension(value.GetString()!),
            _ => throw tensor.Wrong(at, "a dimension is a number from 1 or a name"),
        });
        var layout = tensor.OptionalText("layout", MaxDimensions);
        if (layout is not null && (layout.Length != shape.Length || layout.Any(static letter => !"NCDHW".Contains(letter, StringComparison.Ordinal)) || layout.Distinct().Count() != layout.Length))
            throw tensor.Wrong("layout", "a letter of N, C, D, H, W for each dimension, each once");
        return (name, element, shape, layout);
    }

    private static Preprocessing ReadPreprocessing(JsonMembers steps)
    {
        var spacing = steps.OptionalNumbers("spacing", 3);
        if (!spacing.IsEmpty && (spacing.Length != 3 || spacing.Any(static mm => mm is <= 0 or > 1000))) throw steps.Wrong("spacing", "three numbers of millimetres above 0");
        var std = steps.OptionalNumbers("std", 64);
        if (std.Contains(0)) throw steps.Wrong("std", "not 0");
        var preprocessing = new Preprocessing
        {
            SpacingMm = spacing,
            Resize = steps.OptionalObject("resize", static resize =>
            {
                var step = new ResizeStep(
                    resize.Choice("mode", ("stretch", ResizeMode.Stretch), ("fit", ResizeMode.Fit), ("pad", ResizeMode.Pad)),
                    resize.OptionalChoice("filter", ("bilinear", ResizeFilter.Bilinear), ("bicubic", ResizeFilter.Bicubic), ("nearest", ResizeFilter.Nearest)) ?? ResizeFilter.Bilinear,
                    (int?)resize.OptionalInteger("height", 1, MaxSide), (int?)resize.OptionalInteger("width", 1, MaxSide), (int)(resize.OptionalInteger("multipleOf", 1, 4096) ?? 1));
                resize.NothingElse();
                return step;
            }),
            Range = steps.OptionalObject("range", static range =>
            {
                var (from, to) = (range.OptionalNumbers("from", 2), range.OptionalNumbers("to", 2));
                if (from.Length != 2 || from[0] >= from[1]) throw range.Wrong("from", "[low, high], low below high");
                if (to.Length != 2) throw range.Wrong("to", "[low, high]");
                range.NothingElse();
                return new RangeStep(from[0], from[1], to[0], to[1]);
            }),
            Mean = steps.OptionalNumbers("mean", 64),
            Std = std,
            Fill = steps.OptionalNumber("fill", -1e9, 1e9) ?? 0,
        };
        steps.NothingElse();
        return preprocessing;
    }

    private static ModelLabel ReadLabel(JsonMembers label)
    {
        var color = label.Text("color", 7);
        if (color.Length != 7 || color[0] != '#' || !color.AsSpan(1).ContainsOnlyHex()) throw label.Wrong("color", "#rrggbb");
        var read = new ModelLabel((int)label.Integer("value", 0, 65535), label.Text("name", 200), color);
        label.NothingElse();
        return read;
    }

    private static bool ContainsOnlyHex(this ReadOnlySpan<char> text)
    {
        foreach (var letter in text)
            if (!char.IsAsciiHexDigit(letter)) return false;
        return true;
    }

    private static void Check(ModelManifest manifest, string what)
    {
        if (FirstDouble(manifest.Files, static file => file.Path, StringComparer.OrdinalIgnoreCase) is { } path) throw Wrong($"two files are called {path}");
        foreach (var file in manifest.Files)
            if (manifest.Files.FirstOrDefault(other => other.Path.StartsWith(file.Path + "/", StringComparison.OrdinalIgnoreCase)) is { } inside) throw Wrong($"{file.Path} is a file and the folder of {inside.Path}");
        if (FirstDouble(manifest.Inputs, static input => input.Name, StringComparer.Ordinal) is { } input) throw Wrong($"two inputs are called {input}");
        if (FirstDouble(manifest.Outputs, static output => output.Name, StringComparer.Ordinal) is { } output) throw Wrong($"two outputs are called {output}");
        if (FirstDouble(manifest.Labels, static label => label.Value, EqualityComparer<int>.Default) is not null) throw Wrong("two labels have the same value");
        if (manifest.Runs is { } runs)
        {
            if (!manifest.Files.Any(file => file.Path == runs)) throw Wrong($"runs: {runs} is none of the files");
            if (Path.GetExtension(runs) is not (".onnx" or ".ort")) throw Wrong($"runs: {runs} is neither .onnx nor .ort");
        }
        else if (manifest.RunsAfter is null) throw Wrong("runsAfter: a model of which nothing runs must say what makes it run");
        foreach (var tensor in manifest.Inputs)
        {
            var channels = tensor.Layout?.IndexOf('C', StringComparison.Ordinal) is { } at and >= 0 && tensor.Shape[at].Symbol is null ? tensor.Shape[at].Size : 0;
            if (tensor.Unit is InputUnit.Rgb or InputUnit.Bgr && channels is not (0 or 3)) throw Wrong($"inputs: {tensor.Name}: a colour picture has 3 channels, not {channels}");
            foreach (var (steps, name) in (ReadOnlySpan<(ImmutableArray<double>, string)>)[(tensor.Preprocessing.Mean, "mean"), (tensor.Preprocessing.Std, "std")])
                if (steps.Length > 1 && channels > 0 && steps.Length != channels) throw Wrong($"inputs: {tensor.Name}: {name} has {steps.Length} numbers for {channels} channels");
        }

        ModelException Wrong(string rule) => ModelException.Invalid($"{what}: {rule}.");
    }

    private static string? FirstDouble<T, TKey>(ImmutableArray<T> items, Func<T, TKey> key, IEqualityComparer<TKey> comparer) where TKey : notnull =>
        items.GroupBy(key, comparer).FirstOrDefault(static group => group.Skip(1).Any()) is { } twice ? twice.Key.ToString() : null;
}
