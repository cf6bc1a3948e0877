using System.Text;

namespace Aspire.Hosting.Running;

/// <summary>The one writer of the host's output: each line with the name of who said it, in that resource's colour when the output is a terminal.</summary>
internal sealed class Terminal(TextWriter output, bool hasColour)
{
    private static readonly string[] Colours = ["36", "35", "33", "34", "32", "96", "95", "94"];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _colours = [];
    private int _width = "apphost".Length;

    public bool HasColour => hasColour;

    public static Terminal OfConsole() => new(Console.Out, !Console.IsOutputRedirected
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") != "dumb");

    /// <summary>Makes room for the names before the first line, so that the lines stand in one column.</summary>
    public void Introduce(IEnumerable<string> names)
    {
        lock (_gate)
        {
            foreach (var name in names)
            {
                _width = Math.Max(_width, name.Length);
                _colours[name] = Colours[_colours.Count % Colours.Length];
            }
        }
    }

    /// <summary>A line of a resource's own output.</summary>
    public void Line(string name, string text)
    {
        lock (_gate)
        {
            output.WriteLine($"{Prefix(name)} {Harmless(text)}");
        }
    }

    /// <summary>A line of the host about a resource, or about itself.</summary>
    public void Say(string text, string? about = null)
    {
        lock (_gate)
        {
            output.WriteLine($"{Prefix(about ?? "apphost")} {Bold(text)}");
        }
    }

    public void Block(IEnumerable<string> lines)
    {
        lock (_gate)
        {
            output.WriteLine();
            foreach (var line in lines)
            {
                output.WriteLine(line);
            }
            output.WriteLine();
        }
    }

    public string Bold(string text) => hasColour ? $"\e[1m{text}\e[0m" : text;

    public string Coloured(string name, string text) => hasColour ? $"\e[{_colours.GetValueOrDefault(name, "90")}m{text}\e[0m" : text;

    public string Link(string url) => hasColour ? $"\e]8;;{url}\e\\{url}\e]8;;\e\\" : url;

    private string Prefix(string name) => Coloured(name, $"{name.PadRight(_width)} |");

    /// <summary>Log lines carry what came from outside: colours pass on a terminal, other control sequences never.</summary>
    private string Harmless(string text)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }
        var clean = new StringBuilder(text.Length);
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == '\e' && ColourLength(text.AsSpan(index)) is > 0 and var length)
            {
                clean.Append(hasColour ? text.AsSpan(index, length) : []);
                index += length - 1;
            }
            else if (text[index] == '\t' || !char.IsControl(text[index]))
            {
                clean.Append(text[index]);
            }
        }
        return hasColour ? clean.Append("\e[0m").ToString() : clean.ToString();
    }

    /// <summary>The length of the colour sequence (ESC [ digits ; m) that the text begins with; 0 when it begins with none.</summary>
    private static int ColourLength(ReadOnlySpan<char> text)
    {
        if (text.Length < 3 || text[1] != '[')
        {
            return 0;
        }
        var end = text[2..].IndexOfAnyExcept("0123456789;");
        return end >= 0 && text[2 + end] == 'm' ? end + 3 : 0;
    }
}
