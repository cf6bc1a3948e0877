using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ImageApi.Origins.Dicomweb;

/// <summary>
/// The BulkDataURIs of an instance's DICOM JSON. A server's own lead past us, to an address that a browser may not reach: we give out ours in their place and
/// ask the server for what they stand for.
/// </summary>
internal static class BulkDataUris
{
    private const int MaxDepth = 256;

    /// <summary>Copies the JSON without white space, each BulkDataURI replaced by <paramref name="prefix"/> and the path of its element: tags with 0-based item numbers between.</summary>
    public static void Rewrite(ReadOnlySpan<byte> json, IBufferWriter<byte> to, string prefix)
    {
        using var writer = new Utf8JsonWriter(to, new JsonWriterOptions { SkipValidation = true, MaxDepth = MaxDepth, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        var walk = new Walk(json);
        while (walk.Read())
        {
            ref var reader = ref walk.Json;
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject: writer.WriteStartObject(); break;
                case JsonTokenType.EndObject: writer.WriteEndObject(); break;
                case JsonTokenType.StartArray: writer.WriteStartArray(); break;
                case JsonTokenType.EndArray: writer.WriteEndArray(); break;
                case JsonTokenType.PropertyName: writer.WritePropertyName(reader.GetString()!); break;
                case JsonTokenType.String when walk.IsBulkDataUri: writer.WriteStringValue(prefix + walk.Path); break;
                case JsonTokenType.String: writer.WriteRawValue(json[(int)reader.TokenStartIndex..(int)reader.BytesConsumed], skipInputValidation: true); break;
                default: writer.WriteRawValue(reader.ValueSpan, skipInputValidation: true); break;   // a number as it was written
            }
        }
        writer.Flush();
    }

    /// <summary>The server's own BulkDataURI of an element; null where it has none.</summary>
    public static string? Find(ReadOnlySpan<byte> json, string path)
    {
        var walk = new Walk(json);
        while (walk.Read())
        {
            if (walk.Json.TokenType == JsonTokenType.String && walk.IsBulkDataUri && walk.Path == path) return walk.Json.GetString();
        }
        return null;
    }

    /// <summary>Walks through DICOM JSON and knows where it is: <c>{tag: {"vr", "Value": [item, ...]}}</c> all the way down.</summary>
    private ref struct Walk(ReadOnlySpan<byte> json)
    {
        public Utf8JsonReader Json = new(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        private readonly List<(string Tag, int Item)> _levels = [];
        private string _property = "";

        /// <summary>Whether the string at hand is the address of an element's value.</summary>
        public readonly bool IsBulkDataUri => _property == "BulkDataURI" && _levels.Count > 0;

        /// <summary>The path of the element at hand.</summary>
        public readonly string Path
        {
            get
            {
                var path = new StringBuilder();
                for (var i = 0; i < _levels.Count; i++)
                {
                    if (i > 0) path.Append(CultureInfo.InvariantCulture, $"/{_levels[i - 1].Item}/");
                    path.Append(_levels[i].Tag);
                }
                return path.ToString();
            }
        }

        public bool Read()
        {
            if (!Json.Read()) return false;
            // Depths: data set 0, its tags 1 (object 1), an element's members 2, Value's items 3 and again from there: three levels a sequence.
            switch (Json.TokenType)
            {
                case JsonTokenType.PropertyName when Json.CurrentDepth % 3 == 1:
                    var level = Json.CurrentDepth / 3;
                    if (_levels.Count > level) _levels.RemoveRange(level, _levels.Count - level);
                    _levels.Add((Json.GetString()!.ToUpperInvariant(), -1));
                    _property = "";
                    break;
                case JsonTokenType.PropertyName when Json.CurrentDepth % 3 == 2:
                    _property = Json.GetString()!;
                    break;
                case JsonTokenType.StartObject when Json.CurrentDepth % 3 == 0 && Json.CurrentDepth > 0:
                    var parent = Json.CurrentDepth / 3 - 1;
                    if (parent < _levels.Count) _levels[parent] = (_levels[parent].Tag, _levels[parent].Item + 1);
                    break;
                case JsonTokenType.EndObject when Json.CurrentDepth % 3 == 0 && Json.CurrentDepth > 0:
                    var ended = Json.CurrentDepth / 3;
                    if (_levels.Count > ended) _levels.RemoveRange(ended, _levels.Count - ended);
                    break;
            }
            return true;
        }
    }
}
