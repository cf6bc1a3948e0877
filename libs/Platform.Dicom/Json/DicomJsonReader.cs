using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Platform.Dicom.Json;

/// <summary>Gives the bytes of a value that the JSON names by a URI, little endian; null: the element is left out.</summary>
public delegate ReadOnlyMemory<byte>? DicomBulkDataResolver(DicomTag tag, DicomVr vr, string uri);

/// <summary>The limits that hostile JSON meets. Exceeding one is a <see cref="DicomJsonException"/>.</summary>
public sealed record DicomJsonReadOptions
{
    /// <summary>The defaults.</summary>
    public static DicomJsonReadOptions Default { get; } = new();

    /// <summary>Deepest nesting of sequences; the top level is 0. Default 64.</summary>
    public int MaxDepth { get; init; } = 64;

    /// <summary>Most data elements and items, over all levels. Default 1 million.</summary>
    public int MaxElements { get; init; } = 1_000_000;

    /// <summary>Asked for every BulkDataURI. Default null: such elements are left out.</summary>
    public DicomBulkDataResolver? BulkData { get; init; }

    /// <summary>
    /// Leaves an attribute out whose value its VR cannot hold, instead of refusing the document: servers write several values where one is allowed, or numbers
    /// where bytes are. What is not JSON, or exceeds a limit of depth or number at the top, is refused still. Default false.
    /// </summary>
    public bool LeavesOutUnreadable { get; init; }
}

/// <summary>
/// Reads the DICOM JSON Model (PS3.18 annex F). Memory stays proportional to the text. Group lengths and file meta information are passed
/// over; a tag that comes twice, a value that its VR cannot hold, and whatever else is not DICOM JSON is a <see cref="DicomJsonException"/>.
/// </summary>
/// <remarks>Text becomes UTF-8, and Specific Character Set ISO_IR 192 where the JSON has it or any text needs it.</remarks>
public static class DicomJsonReader
{
    /// <summary>Reads one JSON object.</summary>
    public static DicomDataset Read(ReadOnlySpan<byte> utf8, DicomJsonReadOptions? options = null) =>
        ReadDocument(utf8, options, static (ref Utf8JsonReader json, Run run) => run.Root(ref json));

    /// <summary>Reads a JSON array of objects, such as the answer of a search or the metadata of a series.</summary>
    public static IReadOnlyList<DicomDataset> ReadArray(ReadOnlySpan<byte> utf8, DicomJsonReadOptions? options = null) =>
        ReadDocument(utf8, options, static (ref Utf8JsonReader json, Run run) =>
        {
            if (json.TokenType != JsonTokenType.StartArray) throw new DicomJsonException("An array of data sets was expected.", json.TokenStartIndex);
            var datasets = new List<DicomDataset>();
            while (json.Read() && json.TokenType != JsonTokenType.EndArray) datasets.Add(run.Root(ref json));
            return datasets;
        });

    private delegate T ReadValue<T>(ref Utf8JsonReader json, Run run);

    private static T ReadDocument<T>(ReadOnlySpan<byte> utf8, DicomJsonReadOptions? options, ReadValue<T> read)
    {
        options ??= DicomJsonReadOptions.Default;
        if (utf8.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];

        // An item is three levels of JSON deep: its element's object, the array and its own object; an array around everything, a name at the end.
        var json = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = checked(options.MaxDepth * 3 + 6) });
        var run = new Run(options);
        try
        {
            json.Read();
            var value = read(ref json, run);
            if (json.Read()) throw new DicomJsonException("The document goes on after its end.", json.TokenStartIndex);
            return value;
        }
        catch (JsonException broken)
        {
            throw new DicomJsonException("Not valid JSON, or nested too deep.", json.BytesConsumed, run.Tag, broken);
        }
        catch (InvalidOperationException broken)
        {
            // What Utf8JsonReader says of escapes that make no text, such as a lone surrogate.
            throw new DicomJsonException("A string is not valid text.", json.TokenStartIndex, run.Tag, broken);
        }
    }

    /// <summary>One document being read.</summary>
    private sealed class Run(DicomJsonReadOptions options)
    {
        private static readonly byte[] s_utf8Term = "ISO_IR 192"u8.ToArray();

        private readonly ArrayBufferWriter<byte> _value = new();
        private int _elements;
        private bool _isBeyondAscii;

        public DicomTag? Tag { get; private set; }

        public DicomDataset Root(ref Utf8JsonReader json)
        {
            _isBeyondAscii = false;
            var dataset = Object(ref json, 0);
            if (_isBeyondAscii) dataset.Set(DicomTags.SpecificCharacterSet, DicomVr.CS, s_utf8Term);
            return dataset;
        }

        private DicomDataset Object(ref Utf8JsonReader json, int depth)
        {
            if (json.TokenType != JsonTokenType.StartObject) throw Fail("A data set was expected: an object of attributes.", json);
            if (depth > options.MaxDepth) throw Fail("Sequences are nested too deep.", json);
            Count(json);
            var attributes = new List<Attribute>();
            while (Next(ref json) != JsonTokenType.EndObject)
            {
                var key = json.GetString();
                Tag = null;
                if (key!.Length != 8 || !uint.TryParse(key, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number))
                    throw Fail("An attribute's name is a tag of eight hexadecimal digits.", json);
                Tag = new DicomTag(number);
                var offset = json.TokenStartIndex;
                Next(ref json);
                var before = json;
                try
                {
                    if (ReadAttribute(ref json, Tag.Value, depth) is { } attribute) attributes.Add(attribute with { Offset = offset });
                }
                catch (DicomJsonException) when (options.LeavesOutUnreadable && _elements <= options.MaxElements)
                {
                    json = before;
                    json.Skip();
                }
            }

            // In the order of their tags whatever the order in the text, so that each is appended.
            attributes.Sort(static (x, y) => x.Tag.CompareTo(y.Tag));
            var dataset = new DicomDataset();
            for (var i = 0; i < attributes.Count; i++)
            {
                var attribute = attributes[i];
                if (i > 0 && attributes[i - 1].Tag == attribute.Tag)
                    throw new DicomJsonException("An attribute comes twice.", Math.Max(attribute.Offset, attributes[i - 1].Offset), attribute.Tag);
                if (attribute.Items is not null) dataset.Set(attribute.Tag, attribute.Items);
                else if (attribute.Value.IsEmpty) dataset.SetEmpty(attribute.Tag, attribute.Vr);
                else dataset.Set(attribute.Tag, attribute.Vr, attribute.Value);
            }

            return dataset;
        }

        private readonly record struct Attribute(DicomTag Tag, DicomVr Vr, ReadOnlyMemory<byte> Value, DicomDataset[]? Items = null, long Offset = 0);

        private Attribute? ReadAttribute(ref Utf8JsonReader json, DicomTag tag, int depth)
        {
            if (json.TokenType != JsonTokenType.StartObject) throw Fail("An attribute is an object with vr.", json);
            Count(json);
            var vr = FindVr(json, tag);
            if (tag.IsGroupLength || tag.IsFileMeta || tag.Group is 0 or 0xFFFE)
            {
                json.Skip();
                return null;
            }

            Attribute? attribute = null;
            var isLeftOut = false;
            while (Next(ref json) != JsonTokenType.EndObject)
            {
                var isValue = json.ValueTextEquals("Value"u8);
                var isInline = json.ValueTextEquals("InlineBinary"u8);
                var isUri = json.ValueTextEquals("BulkDataURI"u8);
                Next(ref json);
                if (!isValue && !isInline && !isUri)
                {
                    json.Skip();
                    continue;
                }

                if (attribute is not null || isLeftOut) throw Fail("An attribute has one of Value, InlineBinary and BulkDataURI.", json);
                if (isInline) attribute = new Attribute(tag, vr, Binary(ref json, vr));
                else if (isUri && Bulk(json, tag, vr) is { } bulk) attribute = new Attribute(tag, vr, bulk);
                else if (isUri) isLeftOut = true;
                else if (vr == DicomVr.SQ) attribute = new Attribute(tag, vr, default, Items(ref json, tag, depth));
                else attribute = new Attribute(tag, vr, Values(ref json, tag, vr));
                Tag = tag;
            }

            return isLeftOut ? null : attribute ?? new Attribute(tag, vr, default);
        }

        // vr may stand behind the value that cannot be read without it; `json` is a copy that looks ahead.
        private DicomVr FindVr(Utf8JsonReader json, DicomTag tag)
        {
            while (Next(ref json) != JsonTokenType.EndObject)
            {
                var isVr = json.ValueTextEquals("vr"u8);
                Next(ref json);
                if (!isVr)
                {
                    json.Skip();
                    continue;
                }

                if (json.TokenType == JsonTokenType.String && DicomVrExtensions.TryParse(json.GetString(), out var vr)) return vr;
                throw Fail("vr is none of the standard's.", json);
            }

            return DicomDictionary.TryGetVr(tag, out var known, out _) ? known : throw Fail("An attribute that the dictionary does not know needs its vr.", json);
        }

        private DicomDataset[] Items(ref Utf8JsonReader json, DicomTag tag, int depth)
        {
            var items = new List<DicomDataset>();
            Array(json);
            while (Next(ref json) != JsonTokenType.EndArray)
            {
                // F.2.5: an empty item is an empty object; null is taken for one.
                if (json.TokenType == JsonTokenType.Null) items.Add([]);
                else items.Add(Object(ref json, depth + 1));
                Tag = tag;
            }

            return [.. items];
        }

        private ReadOnlyMemory<byte>? Bulk(in Utf8JsonReader json, DicomTag tag, DicomVr vr)
        {
            if (json.TokenType != JsonTokenType.String || vr == DicomVr.SQ) throw Fail("BulkDataURI is a string, and not for a sequence.", json);
            return options.BulkData?.Invoke(tag, vr, json.GetString()!);
        }

        private byte[] Binary(ref Utf8JsonReader json, DicomVr vr)
        {
            if (!vr.IsBulk) throw Fail("InlineBinary is for OB, OD, OF, OL, OV, OW and UN.", json);
            if (json.TokenType != JsonTokenType.String || !json.TryGetBytesFromBase64(out var bytes)) throw Fail("InlineBinary is a string of base64.", json);
            return bytes;
        }

        private byte[] Values(ref Utf8JsonReader json, DicomTag tag, DicomVr vr)
        {
            Array(json);
            _value.ResetWrittenCount();
            var count = 0;
            while (Next(ref json) != JsonTokenType.EndArray)
            {
                if (vr.IsBulk) throw Fail("A binary value is InlineBinary or BulkDataURI.", json);
                if (count++ > 0 && vr.IsText)
                {
                    if (vr.IsSingleValued) throw Fail("The VR holds one value.", json);
                    _value.Write("\\"u8);
                }

                if (vr == DicomVr.PN) Name(ref json);
                else if (vr.IsText) Text(json, vr);
                else Number(json, vr);
            }

            return tag == DicomTags.SpecificCharacterSet && _value.WrittenCount > 0 ? s_utf8Term : _value.WrittenSpan.ToArray();
        }

        private void Name(ref Utf8JsonReader json)
        {
            if (json.TokenType is JsonTokenType.Null or JsonTokenType.String)
            {
                Text(json, DicomVr.PN);
                return;
            }

            if (json.TokenType != JsonTokenType.StartObject) throw Fail("A person name is an object of component groups.", json);
            string?[] groups = new string?[3];
            while (Next(ref json) != JsonTokenType.EndObject)
            {
                var group = json.ValueTextEquals("Alphabetic"u8) ? 0 : json.ValueTextEquals("Ideographic"u8) ? 1 : json.ValueTextEquals("Phonetic"u8) ? 2 : -1;
                Next(ref json);
                if (group < 0) throw Fail("A person name has Alphabetic, Ideographic and Phonetic.", json);
                if (json.TokenType == JsonTokenType.Null) continue;
                if (json.TokenType != JsonTokenType.String) throw Fail("A component group is a string.", json);
                groups[group] = json.GetString();
                if (group < 2 && groups[group]!.Contains('=')) throw Fail("A component group holds no equals sign.", json);
            }

            Append(string.Join('=', groups).TrimEnd('='), DicomVr.PN, json);
        }

        private void Text(in Utf8JsonReader json, DicomVr vr)
        {
            switch (json.TokenType)
            {
                case JsonTokenType.Null:
                    break;
                case JsonTokenType.String:
                    Append(json.GetString()!, vr, json);
                    break;
                case JsonTokenType.Number when vr is DicomVr.DS or DicomVr.IS:
                    Append(NumberAsText(json, vr), vr, json);
                    break;
                default:
                    throw Fail(vr is DicomVr.DS or DicomVr.IS ? "A number was expected." : "A string was expected.", json);
            }
        }

        // The digits stay as they are where the VR has room for them: 16 characters in DS, 12 in IS (PS3.5 6.2).
        private string NumberAsText(in Utf8JsonReader json, DicomVr vr)
        {
            var digits = Encoding.ASCII.GetString(json.ValueSpan);
            if (!json.TryGetDouble(out var value) || !double.IsFinite(value)) throw Fail("The number is out of range.", json);
            if (vr == DicomVr.DS && digits.Length <= 16) return digits;
            if (vr == DicomVr.DS) return ValueEncoder.DecimalString(value);
            if (value != Math.Truncate(value) || Math.Abs(value) > NumberText.MaxExact) throw Fail("IS holds whole numbers.", json);
            return ((long)value).ToString(CultureInfo.InvariantCulture);
        }

        private void Append(string text, DicomVr vr, in Utf8JsonReader json)
        {
            if (!vr.IsSingleValued && text.Contains('\\')) throw Fail("A backslash would be taken for the delimiter of values.", json);
            if (!Ascii.IsValid(text))
            {
                if (!vr.UsesCharacterSet) throw Fail("The VR holds ASCII only.", json);
                _isBeyondAscii = true;
            }

            var length = Encoding.UTF8.GetBytes(text, _value.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length)));
            _value.Advance(length);
        }

        private void Number(in Utf8JsonReader json, DicomVr vr)
        {
            if (json.TokenType is not (JsonTokenType.Number or JsonTokenType.String)) throw Fail("A binary number has no empty value among others.", json);
            var text = json.TokenType == JsonTokenType.Number ? Encoding.ASCII.GetString(json.ValueSpan) : json.GetString()!;
            var room = _value.GetSpan(8);
            var isRead = vr switch
            {
                DicomVr.AT => TryTag(text, room),
                DicomVr.FL => TryReal(text, out var single) && (float.IsFinite((float)single) || !double.IsFinite(single)) && Put(room, (float)single),
                DicomVr.FD => TryReal(text, out var real) && Put(room, real),
                DicomVr.UV => ulong.TryParse(text, CultureInfo.InvariantCulture, out var large) && BinaryPrimitives.TryWriteUInt64LittleEndian(room, large),
                _ => TryWhole(text, out var whole) && TryPut(room, vr, whole)
            };
            if (!isRead) throw Fail("The value is none that the VR can hold.", json);
            _value.Advance(vr.NumberBytes);
        }

        private static bool TryTag(string text, Span<byte> room)
        {
            if (text.Length != 8 || !uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)) return false;
            BinaryPrimitives.WriteUInt16LittleEndian(room, (ushort)(value >> 16));
            BinaryPrimitives.WriteUInt16LittleEndian(room[2..], (ushort)value);
            return true;
        }

        private static bool TryReal(string text, out double value)
        {
            value = text switch { "NaN" => double.NaN, "inf" or "Infinity" => double.PositiveInfinity, "-inf" or "-Infinity" => double.NegativeInfinity, _ => 0 };
            if (value != 0) return true;
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
        }

        private static bool TryWhole(string text, out long value)
        {
            if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)) return true;

            // 12.0 and 1.2e1 are whole too.
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) || real != Math.Truncate(real) || Math.Abs(real) > NumberText.MaxExact) return false;
            value = (long)real;
            return true;
        }

        private static bool Put(Span<byte> room, float value)
        {
            BinaryPrimitives.WriteSingleLittleEndian(room, value);
            return true;
        }

        private static bool Put(Span<byte> room, double value)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(room, value);
            return true;
        }

        private static bool TryPut(Span<byte> room, DicomVr vr, long value)
        {
            var (least, most) = vr switch
            {
                DicomVr.US => (ushort.MinValue, ushort.MaxValue),
                DicomVr.SS => (short.MinValue, short.MaxValue),
                DicomVr.UL => (uint.MinValue, uint.MaxValue),
                DicomVr.SL => (int.MinValue, int.MaxValue),
                _ => (long.MinValue, long.MaxValue)
            };
            if (value < least || value > most) return false;
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            bytes[..vr.NumberBytes].CopyTo(room);
            return true;
        }

        private void Array(in Utf8JsonReader json)
        {
            if (json.TokenType != JsonTokenType.StartArray) throw Fail("Value is an array.", json);
        }

        private void Count(in Utf8JsonReader json)
        {
            if (++_elements > options.MaxElements) throw Fail("There are too many attributes and items.", json);
        }

        private static JsonTokenType Next(ref Utf8JsonReader json)
        {
            json.Read();
            return json.TokenType;
        }

        private DicomJsonException Fail(string message, in Utf8JsonReader json) => new(message, json.TokenStartIndex, Tag);
    }
}
