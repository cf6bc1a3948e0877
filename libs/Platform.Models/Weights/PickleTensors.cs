using System.Collections.Immutable;

namespace Platform.Models;

/// <summary>Finds the tensors in what a pickle holds: dicts give names, joined by dots; lists give numbers. Other values are passed over.</summary>
internal static class PickleTensors
{
    private const int MaxDepth = 32, MaxVisits = 1_000_000;

    public static IReadOnlyList<WeightTensor> Collect(object? root, string what, Func<string, object, WeightTensor?> toTensor)
    {
        var tensors = new List<WeightTensor>();
        var visits = 0;
        Visit(root, "", 0);
        return tensors;

        void Visit(object? value, string name, int depth)
        {
            if (++visits > MaxVisits || depth > MaxDepth) throw ModelException.Invalid($"The {what} nests too deep or holds itself.");
            if (name.Length > WeightLimits.MaxNameLength) throw ModelException.Invalid($"The {what} has a name that is too long.");
            switch (value)
            {
                case PickleDict dict:
                    foreach (var (key, item) in dict.Items)
                        if (key is string or long) Visit(item, Join(name, key.ToString()!), depth + 1);
                    break;
                case PickleList list:
                    for (var i = 0; i < list.Count; i++) Visit(list[i], Join(name, i.ToString(System.Globalization.CultureInfo.InvariantCulture)), depth + 1);
                    break;
                case PickleTuple tuple:
                    for (var i = 0; i < tuple.Items.Length; i++) Visit(tuple.Items[i], Join(name, i.ToString(System.Globalization.CultureInfo.InvariantCulture)), depth + 1);
                    break;
                case PickleTensor or PickleArray:
                    if (tensors.Count == WeightLimits.MaxTensors) throw ModelException.Invalid($"The {what} has too many tensors.");
                    if (toTensor(name, value) is { } tensor) tensors.Add(tensor);
                    break;
            }
        }

        static string Join(string name, string part) => name.Length == 0 ? part : name + "." + part;
    }

    /// <summary>Puts elements of any strides into C order.</summary>
    public static byte[] Gather(ReadOnlySpan<byte> from, int size, ImmutableArray<long> shape, ReadOnlySpan<long> strides, long offset)
    {
        var to = new byte[shape.Aggregate((long)size, static (product, side) => product * side)];
        Span<long> at = stackalloc long[shape.Length];
        at.Clear();
        for (long done = 0; done < to.Length; done += size)
        {
            var element = offset;
            for (var i = 0; i < at.Length; i++) element += at[i] * strides[i];
            from.Slice((int)(element * size), size).CopyTo(to.AsSpan((int)done));
            for (var i = at.Length - 1; i >= 0 && ++at[i] == shape[i]; i--) at[i] = 0;
        }
        return to;
    }
}
