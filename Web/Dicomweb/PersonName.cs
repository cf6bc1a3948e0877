namespace Web.Dicomweb;

/// <summary>A PN value (PS3.5 6.2.1): family^given^middle^prefix^suffix in one or two scripts.</summary>
public readonly record struct PersonName(string? Alphabetic, string? Ideographic)
{
    private const string Unnamed = "(no name)";

    /// <summary>"Family, Given Middle, Suffix" with the prefix before the given name; never empty.</summary>
    public override string ToString() => Format(Alphabetic) ?? Format(Ideographic) ?? Unnamed;

    /// <summary>The name in its own script, where it is stored beside the alphabetic one.</summary>
    public string? Native => Format(Alphabetic) is null ? null : Format(Ideographic);

    private static string? Format(string? value)
    {
        if (string.IsNullOrWhiteSpace(value)) return null;
        var parts = value.Split('^');
        string Part(int index) => index < parts.Length ? parts[index].Trim() : "";
        var given = string.Join(' ', new[] { Part(3), Part(1), Part(2) }.Where(static part => part.Length > 0));
        var name = string.Join(", ", new[] { Part(0), given, Part(4) }.Where(static part => part.Length > 0));
        return name.Length > 0 ? name : null;
    }
}
