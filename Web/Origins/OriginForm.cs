using System.Globalization;
using System.Text.Json.Nodes;
using Web.Administration;

namespace Web.Origins;

/// <summary>How a field of the form is shown and read.</summary>
public enum FieldForm { Text, Secret, Number, Duration, Flag, Lines }

/// <summary>One setting of an origin in the form. <paramref name="Name"/> is ImageApi's member, <c>freshness.ttl</c> for one of a member.</summary>
/// <param name="Name">ImageApi's name of it.</param>
/// <param name="Label">What people call it.</param>
/// <param name="Hint">What to enter.</param>
/// <param name="Form">How it is shown and read.</param>
/// <param name="Kinds">The kinds that have it.</param>
/// <param name="IsMore">Whether it stands among what is seldom changed.</param>
public sealed record OriginField(string Name, string Label, string Hint, FieldForm Form, string[] Kinds, bool IsMore = false)
{
    private static readonly string[] Folder = ["folder"], Web = ["http", "dicomweb"], Http = ["http"], S3 = ["s3"], Remote = ["http", "dicomweb", "s3"];

    public static IReadOnlyList<OriginField> All { get; } =
    [
        new("path", "Folder", "A folder on the server's machine; ~/ is its home folder.", FieldForm.Text, Folder),
        new("url", "Address", "https://… ; items are appended to it.", FieldForm.Text, Web),
        new("bucket", "Bucket", "", FieldForm.Text, S3),
        new("prefix", "Prefix", "What item names begin with; may be empty.", FieldForm.Text, S3),
        new("region", "Region", "Such as eu-central-1; not needed with a server's address.", FieldForm.Text, S3),
        new("serviceUrl", "Server", "The address of an object store that is not AWS.", FieldForm.Text, S3),
        new("username", "User name", "", FieldForm.Secret, Web),
        new("password", "Password", "", FieldForm.Secret, Web),
        new("bearerToken", "Token", "Sent as Authorization: Bearer; not together with a user name.", FieldForm.Secret, Web),
        new("accessKey", "Access key", "", FieldForm.Secret, S3),
        new("secretKey", "Secret key", "", FieldForm.Secret, S3),
        new("caFile", "CA file", "PEM certificates on the server's machine; https is trusted when it ends at one of these.", FieldForm.Text, Remote, IsMore: true),
        new("allowPlainHttp", "Allow plain http to other machines", "Images and credentials can then be read on the way.", FieldForm.Flag, Remote, IsMore: true),
        new("allowedAddresses", "Allowed addresses", "One a line, such as 10.0.0.0/8; empty: any.", FieldForm.Lines, Remote, IsMore: true),
        new("items", "Items", "One a line, where the server cannot list its files.", FieldForm.Lines, Http, IsMore: true),
        new("maxConcurrency", "Requests at once", "1 to 256.", FieldForm.Number, Remote, IsMore: true),
        new("tryTimeout", "Time for one try", "Such as 10 s.", FieldForm.Duration, Remote, IsMore: true),
        new("totalTimeout", "Time for all tries", "Such as 30 s.", FieldForm.Duration, Remote, IsMore: true),
        new("retries", "Further tries", "0 to 10.", FieldForm.Number, Remote, IsMore: true),
        new("freshness.ttl", "Fresh for", "Empty: what the origin's answers say.", FieldForm.Duration, Remote, IsMore: true),
        new("freshness.staleWhileRevalidate", "Stale while asked again", "", FieldForm.Duration, Remote, IsMore: true),
        new("freshness.staleIfError", "Stale when it fails", "", FieldForm.Duration, Remote, IsMore: true),
        new("freshness.negativeTtl", "\"There is none\" is believed for", "", FieldForm.Duration, Remote, IsMore: true),
    ];
}

/// <summary>Turns ImageApi's settings of an origin into fields and back.</summary>
public static class OriginForm
{
    /// <summary>The text of a field for the settings that an origin has; secrets are never known.</summary>
    public static string TextOf(OriginField field, JsonObject settings) => Find(settings, field.Name) switch
    {
        null => "",
        JsonArray lines => string.Join('\n', lines.Select(static line => line?.ToString())),
        JsonValue value when field.Form == FieldForm.Duration => TimeSpan.TryParse(value.ToString(), CultureInfo.InvariantCulture, out var span) ? Figures.Duration(span) : "",
        JsonValue value => value.ToString(),
        _ => "",
    };

    /// <summary>
    /// The settings that a form describes, and what is wrong with fields, by name. They begin with those that the origin has, so that what the form does
    /// not show stays. A secret that was left empty stays as it is, unless it is to be taken away.
    /// </summary>
    public static (JsonObject Settings, Dictionary<string, string> Wrong) Read(string kind, JsonObject? before, Func<string, string?> form)
    {
        var settings = before is null ? [] : (JsonObject)before.DeepClone();
        var wrong = new Dictionary<string, string>();
        settings["kind"] = kind;
        foreach (var field in OriginField.All.Where(field => field.Kinds.Contains(kind)))
        {
            var text = form(field.Name)?.Trim() ?? "";
            switch (field.Form)
            {
                case FieldForm.Secret when form("forget") == "yes": settings[field.Name] = ""; break;
                case FieldForm.Secret when text.Length > 0: settings[field.Name] = text; break;
                case FieldForm.Secret: break;
                case FieldForm.Flag: settings[field.Name] = text == "yes"; break;
                case FieldForm.Lines: settings[field.Name] = new JsonArray([.. text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(static line => (JsonNode)line)]); break;
                case FieldForm.Text: settings[field.Name] = text; break;
                case FieldForm.Number or FieldForm.Duration when text.Length == 0: Set(settings, field.Name, null); break;
                case FieldForm.Number when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number): Set(settings, field.Name, number); break;
                case FieldForm.Duration when Figures.ReadDuration(text) is { } span: Set(settings, field.Name, span.ToString("c", CultureInfo.InvariantCulture)); break;
                default: wrong[field.Name] = field.Form == FieldForm.Number ? "A whole number." : "A duration, such as 90 s, 15 min or 48 h."; break;
            }
        }

        return (settings, wrong);
    }

    private static JsonNode? Find(JsonObject settings, string name)
    {
        JsonNode? node = settings;
        foreach (var part in name.Split('.')) node = (node as JsonObject)?[part];
        return node;
    }

    // An absent member is ImageApi's default.
    private static void Set(JsonObject settings, string name, JsonNode? value)
    {
        var parts = name.Split('.');
        var owner = parts.Length == 1 ? settings : settings[parts[0]] as JsonObject ?? (JsonObject)(settings[parts[0]] = new JsonObject());
        if (value is null) owner.Remove(parts[^1]);
        else owner[parts[^1]] = value;
    }
}
