namespace Platform.Models;

/// <summary>The formats that weights are exchanged in.</summary>
public enum WeightFormat
{
    /// <summary><c>.safetensors</c></summary>
    Safetensors,

    /// <summary><c>.h5</c>: HDF5, a dataset a tensor.</summary>
    Hdf5,

    /// <summary><c>.pt</c>: a dict of tensors for <c>torch.load</c>.</summary>
    Torch,

    /// <summary><c>.pkl</c>: a dict of numpy arrays for <c>pickle.load</c>.</summary>
    Pickle,
}

/// <summary>Names and file endings of formats.</summary>
public static class WeightFormats
{
    /// <summary>As the command line and the API write them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["safetensors", "h5", "pt", "pkl"];

    /// <summary>The name, which is the file's ending without its dot.</summary>
    public static string ToName(this WeightFormat format) => Names[(int)format];

    /// <summary>Reads a name.</summary>
    public static bool TryParse(string? name, out WeightFormat format)
    {
        var index = Enumerable.Range(0, Names.Count).FirstOrDefault(i => string.Equals(Names[i], name, StringComparison.OrdinalIgnoreCase), -1);
        format = (WeightFormat)Math.Max(0, index);
        return index >= 0;
    }

    /// <summary>By a file's ending: also <c>.hdf5</c>, <c>.pth</c> and <c>.pickle</c>.</summary>
    public static bool TryParsePath(string path, out WeightFormat format) => TryParse(Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".hdf5" => "h5",
        ".pth" => "pt",
        ".pickle" => "pkl",
        { Length: > 1 } ending => ending[1..],
        _ => null,
    }, out format);
}
