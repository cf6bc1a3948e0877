using System.Collections.Immutable;
using System.Text.Json;

namespace Platform.Models;

/// <summary>An object's members, each asked for once; says where a wrong one stands.</summary>
internal sealed class JsonMembers
{
    private readonly Dictionary<string, JsonElement> _left = new(StringComparer.Ordinal);
    private readonly string _where;

    public JsonMembers(JsonElement element, string where)
    {
        _where = where;
        if (element.ValueKind != JsonValueKind.Object) throw ModelException.Invalid($"{where}: must be an object.");
        foreach (var member in element.EnumerateObject()) _left.Add(member.Name, member.Value);
    }

    public ModelException Wrong(string member, string rule) => ModelException.Invalid($"{_where}: {member}: {rule}.");

    /// <summary>Ends the reading: whatever was not asked for is an error.</summary>
    public void NothingElse()
    {
        if (_left.Count > 0) throw Wrong(Short(_left.Keys.First()), "there is no such member");
    }

    public string Text(string name, int maxLength) => OptionalText(name, maxLength) ?? throw Wrong(name, "is missing");

    public string? OptionalText(string name, int maxLength)
    {
        if (!_left.Remove(name, out var value)) return null;
        if (value.ValueKind != JsonValueKind.String) throw Wrong(name, "must be a text");
        return CheckText(value, name, maxLength);
    }

    public ImmutableArray<string> OptionalTexts(string name, int maxCount, int maxLength) => OptionalValues(name, 1, maxCount, (value, at) =>
        value.ValueKind == JsonValueKind.String ? CheckText(value, at, maxLength) : throw Wrong(at, "must be a text"));

    public long Integer(string name, long min, long max) => OptionalInteger(name, min, max) ?? throw Wrong(name, "is missing");

    public long? OptionalInteger(string name, long min, long max)
    {
        if (!_left.Remove(name, out var value)) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var number) || number < min || number > max) throw Wrong(name, $"must be a whole number from {min} to {max}");
        return number;
    }

    public double? OptionalNumber(string name, double min, double max)
    {
        if (!_left.Remove(name, out var value)) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= min && number <= max
            ? number
            : throw Wrong(name, FormattableString.Invariant($"must be a number from {min} to {max}"));
    }

    public ImmutableArray<double> OptionalNumbers(string name, int maxCount) => OptionalValues(name, 1, maxCount, (value, at) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && Math.Abs(number) <= 1e9 ? number : throw Wrong(at, "must be a number within a thousand million"));

    public T Choice<T>(string name, params ReadOnlySpan<(string Name, T Value)> choices) where T : struct => OptionalChoice(name, choices) ?? throw Wrong(name, "is missing");

    public T? OptionalChoice<T>(string name, params ReadOnlySpan<(string Name, T Value)> choices) where T : struct
    {
        if (OptionalText(name, 100) is not { } text) return null;
        foreach (var choice in choices)
            if (choice.Name == text) return choice.Value;
        throw Wrong(name, $"must be one of {string.Join(", ", choices.ToArray().Select(static choice => choice.Name))}");
    }

    public T? OptionalObject<T>(string name, Func<JsonMembers, T> read) where T : class =>
        _left.Remove(name, out var value) ? read(new JsonMembers(value, $"{_where}: {name}")) : null;

    public ImmutableArray<T> List<T>(string name, int min, int max, Func<JsonMembers, T> read) =>
        Values(name, min, max, (value, at) => read(new JsonMembers(value, $"{_where}: {at}")));

    public ImmutableArray<T> OptionalList<T>(string name, int max, Func<JsonMembers, T> read) =>
        OptionalValues(name, 0, max, (value, at) => read(new JsonMembers(value, $"{_where}: {at}")));

    public ImmutableArray<T> Values<T>(string name, int min, int max, Func<JsonElement, string, T> read) =>
        _left.ContainsKey(name) ? OptionalValues(name, min, max, read) : throw Wrong(name, "is missing");

    private ImmutableArray<T> OptionalValues<T>(string name, int min, int max, Func<JsonElement, string, T> read)
    {
        if (!_left.Remove(name, out var list)) return [];
        if (list.ValueKind != JsonValueKind.Array) throw Wrong(name, "must be a list");
        var count = list.GetArrayLength();
        if (count < min || count > max) throw Wrong(name, $"must have {min} to {max} entries");
        var values = ImmutableArray.CreateBuilder<T>(count);
        foreach (var value in list.EnumerateArray()) values.Add(read(value, $"{name}[{values.Count}]"));
        return values.MoveToImmutable();
    }

    private string CheckText(JsonElement value, string at, int maxLength)
    {
        var text = value.GetString()!;
        if (text.Length == 0 || text.Length > maxLength) throw Wrong(at, $"must have 1 to {maxLength} characters");
        if (text.Any(static letter => char.IsControl(letter) && letter is not ('\n' or '\t'))) throw Wrong(at, "must not have control characters");
        return text;
    }

    private static string Short(string name) => new([.. name.Take(64).Select(static letter => char.IsControl(letter) ? '?' : letter)]);
}
