using System.CommandLine;

namespace Cli.Servers;

/// <summary>The server that a command works with.</summary>
internal sealed class ServerAddress
{
    private ServerAddress(Uri root)
    {
        Root = root;

        // A server that is not ours has its DICOMweb root somewhere else: it is given whole.
        DicomWeb = root.AbsolutePath == "/" ? new Uri(root, "dicomweb/") : root;
    }

    /// <summary>What was given, with a slash at its end.</summary>
    public Uri Root { get; }

    /// <summary>Where its DICOMweb services are, with a slash at its end.</summary>
    public Uri DicomWeb { get; }

    public override string ToString() => Root.ToString().TrimEnd('/');

    public static bool TryParse(string? text, out ServerAddress? address)
    {
        address = null;
        if (string.IsNullOrWhiteSpace(text)) return false;
        if (!text.Contains("://", StringComparison.Ordinal)) text = "http://" + text;
        if (!Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var root) || root.Scheme is not ("http" or "https") || root.Query.Length > 0) return false;
        address = new ServerAddress(root);
        return true;
    }

    public static Option<ServerAddress> Option() => new("--server", "-s")
    {
        Description = "The server: ImageApi's address, or the DICOMweb root of another server.",
        HelpName = "url",
        DefaultValueFactory = _ => new ServerAddress(new Uri("http://localhost:5101/")),
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (TryParse(text, out var address)) return address;
            result.AddError($"'{text}' is no address of a server. An example: http://localhost:5101");
            return null;
        }
    };
}
