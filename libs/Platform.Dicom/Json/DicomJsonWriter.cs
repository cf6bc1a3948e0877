using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Platform.Dicom.Json;

/// <summary>
/// Writes data sets in the DICOM JSON Model (PS3.18 annex F), as UTF-8. Whatever a data set holds, the document is valid JSON.
/// </summary>
/// <remarks>
/// <para>Group lengths, file meta information and delimiters are left out (F.2.2). Specific Character Set becomes ISO_IR 192, because text
/// becomes UTF-8. A value of UN whose element the dictionary knows is written with the dictionary's VR (PS3.5 6.2.2).</para>
/// <para>DS and IS are numbers with the digits of the file; what is no number is a string. SV and UV are numbers up to 2^53 - 1, strings beyond.
/// FL and FD that are not finite are the strings "NaN", "inf" and "-inf" (F.2.3). An empty value among others is null (F.2.5).</para>
/// </remarks>
public static class DicomJsonWriter
{
    /// <summary>Writes a data set as a JSON object.</summary>
    public static void Write(IBufferWriter<byte> to, DicomDataset dataset, DicomJsonOptions? options = null)
    {
        var output = new JsonOutput(to);
        new Run(options ?? DicomJsonOptions.Default).Object(ref output, dataset, default, isTop: true);
        output.Flush();
    }

    /// <summary>Writes a file's data set as a JSON object, pixel data that was not read included when it has a URI.</summary>
    public static void Write(IBufferWriter<byte> to, DicomFile file, DicomJsonOptions? options = null)
    {
        var output = new JsonOutput(to);
        new Run(options ?? DicomJsonOptions.Default).Object(ref output, file.Dataset, file.PixelData, isTop: true);
        output.Flush();
    }

    /// <summary>Writes a data set as a JSON object, where the writer expects a value.</summary>
    public static void Write(Utf8JsonWriter to, DicomDataset dataset, DicomJsonOptions? options = null)
    {
        var buffer = new ArrayBufferWriter<byte>();
        Write(buffer, dataset, options);
        to.WriteRawValue(buffer.WrittenSpan, skipInputValidation: true);
    }

    /// <summary>A data set as a JSON object in UTF-8.</summary>
    public static byte[] ToUtf8(DicomDataset dataset, DicomJsonOptions? options = null)
    {
        var buffer = new ArrayBufferWriter<byte>();
        Write(buffer, dataset, options);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>One document being written.</summary>
    private readonly struct Run(DicomJsonOptions options)
    {
        // Where we are, for the URIs of bulk data only.
        private readonly List<DicomItemStep>? _path = options.BulkDataUri is null ? null : [];

        public void Object(ref JsonOutput output, DicomDataset dataset, DicomPixelData? pixels, bool isTop)
        {
            RuntimeHelpers.EnsureSufficientExecutionStack();
            output.Byte((byte)'{');
            var isFirst = true;
            var filter = isTop ? options.Filter : null;
            foreach (var element in dataset)
            {
                var tag = element.Tag;
                if (tag.IsGroupLength || tag.IsFileMeta || tag.Group is 0 or 0xFFFE || (filter is not null && !filter(tag))) continue;
                Element(ref output, element, tag, isFirst);
                isFirst = false;
            }

            if (pixels is { } unread && filter?.Invoke(unread.Tag) != false && !dataset.Contains(unread.Tag)) UnreadPixels(ref output, unread, isFirst);
            output.Byte((byte)'}');
        }

        private void Element(ref JsonOutput output, in DicomElement element, DicomTag tag, bool isFirst)
        {
            var vr = element.Vr;
            if (vr == DicomVr.UN && !element.IsDeferred && DicomDictionary.TryGetVr(tag, out var known, out _) && known != DicomVr.SQ) vr = known;
            if (!vr.IsKnown) vr = DicomVr.UN;

            Head(ref output, tag, vr, isFirst);
            if (vr == DicomVr.SQ) Items(ref output, element, tag);
            else if (vr.IsBulk) Bulk(ref output, element, tag, vr);
            else if (element.IsEmpty || element.IsDeferred) { }
            else if (vr.IsNumeric) Numbers(ref output, element, vr);
            else if (tag == DicomTags.SpecificCharacterSet) output.Raw(",\"Value\":[\"ISO_IR 192\"]"u8);
            else Texts(ref output, element, vr);
            output.Byte((byte)'}');
        }

        // ,"00100010":{"vr":"PN"
        private static void Head(ref JsonOutput output, DicomTag tag, DicomVr vr, bool isFirst)
        {
            var room = output.Get(32);
            var at = 0;
            if (!isFirst) room[at++] = (byte)',';
            room[at++] = (byte)'"';
            var value = tag.Value;
            var digits = "0123456789ABCDEF"u8;
            for (var shift = 28; shift >= 0; shift -= 4) room[at++] = digits[(int)(value >> shift & 0xF)];
            "\":{\"vr\":\""u8.CopyTo(room[at..]);
            at += 9;
            room[at++] = (byte)vr;
            room[at++] = (byte)((ushort)vr >> 8);
            room[at++] = (byte)'"';
            output.Advance(at);
        }

        private void Items(ref JsonOutput output, in DicomElement element, DicomTag tag)
        {
            var items = element.Items;
            if (items.Count == 0) return;
            output.Raw(",\"Value\":["u8);
            for (var i = 0; i < items.Count; i++)
            {
                if (i > 0) output.Byte((byte)',');
                _path?.Add(new DicomItemStep(tag, i));
                Object(ref output, items[i], null, isTop: false);
                _path?.RemoveAt(_path.Count - 1);
            }

            output.Byte((byte)']');
        }

        private void Bulk(ref JsonOutput output, in DicomElement element, DicomTag tag, DicomVr vr)
        {
            if (element.IsEmpty && !element.IsEncapsulated) return;
            var isInMemory = !element.IsDeferred && !element.IsEncapsulated;
            if ((!isInMemory || element.Length > options.MaxInlineBytes) && Uri(ref output, tag, vr, element.IsEncapsulated ? null : element.Length)) return;
            if (!isInMemory) return;

            output.Raw(",\"InlineBinary\":"u8);
            if (element.IsBigEndian && vr.UnitBytes > 1)
            {
                var swapped = new ArrayBufferWriter<byte>((int)element.Length);
                element.WriteLittleEndian(swapped);
                output.Base64String(swapped.WrittenSpan);
            }
            else
            {
                output.Base64String(element.Span);
            }
        }

        private void UnreadPixels(ref JsonOutput output, DicomPixelData pixels, bool isFirst)
        {
            Head(ref output, pixels.Tag, pixels.Vr, isFirst);
            Uri(ref output, pixels.Tag, pixels.Vr, pixels.Length);
            output.Byte((byte)'}');
        }

        private bool Uri(ref JsonOutput output, DicomTag tag, DicomVr vr, long? lengthBytes)
        {
            if (options.BulkDataUri?.Invoke(new DicomBulkValue(tag, vr, lengthBytes, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_path))) is not { } uri) return false;
            output.Raw(",\"BulkDataURI\":"u8);
            output.String(uri);
            return true;
        }

        private static void Texts(ref JsonOutput output, in DicomElement element, DicomVr vr)
        {
            var encoding = vr.UsesCharacterSet ? element.Encoding : DicomEncoding.Default;
            var rest = element.Span;
            var length = encoding.FirstValueLength(rest, vr);
            var isPlain = encoding.TryGetUtf8(rest[..length], vr, out var utf8);
            if (length == rest.Length && IsEmpty(utf8, vr)) return;

            output.Raw(",\"Value\":["u8);
            while (true)
            {
                if (IsEmpty(utf8, vr)) output.Raw("null"u8);
                else if (vr is DicomVr.DS or DicomVr.IS && isPlain) NumberText.Write(ref output, utf8);
                else if (isPlain && vr != DicomVr.PN) output.String(utf8);
                else Decoded(ref output, encoding, utf8, isPlain, vr);

                if (length == rest.Length) break;
                output.Byte((byte)',');
                rest = rest[(length + 1)..];
                length = encoding.FirstValueLength(rest, vr);
                isPlain = encoding.TryGetUtf8(rest[..length], vr, out utf8);
            }

            output.Byte((byte)']');
        }

        // A name may also be nothing but delimiters of component groups.
        private static bool IsEmpty(ReadOnlySpan<byte> value, DicomVr vr) => value.IsEmpty || (vr == DicomVr.PN && !value.ContainsAnyExcept((byte)'='));

        private static void Decoded(ref JsonOutput output, DicomEncoding encoding, ReadOnlySpan<byte> value, bool isPlain, DicomVr vr)
        {
            if (isPlain)
            {
                Name(ref output, value);
                return;
            }

            // Characters are never more than bytes, and a character below U+10000 takes at most three bytes of UTF-8.
            var rented = ArrayPool<char>.Shared.Rent(value.Length);
            var text = rented.AsSpan(0, encoding.Decode(value, vr, rented));
            if (vr != DicomVr.PN)
            {
                output.String(text);
            }
            else
            {
                var utf8 = ArrayPool<byte>.Shared.Rent(text.Length * 3);
                System.Text.Unicode.Utf8.FromUtf16(text, utf8, out _, out var written);
                Name(ref output, utf8.AsSpan(0, written));
                ArrayPool<byte>.Shared.Return(utf8);
            }

            ArrayPool<char>.Shared.Return(rented);
        }

        // F.2.2: the component groups of a person name. What comes after a third delimiter stays with the last group.
        private static void Name(ref JsonOutput output, ReadOnlySpan<byte> utf8)
        {
            output.Byte((byte)'{');
            var isFirst = true;
            for (var group = 0; group < 3 && !utf8.IsEmpty; group++)
            {
                var end = group == 2 ? -1 : utf8.IndexOf((byte)'=');
                var text = end < 0 ? utf8 : utf8[..end];
                utf8 = end < 0 ? default : utf8[(end + 1)..];
                if (text.IsEmpty) continue;
                if (!isFirst) output.Byte((byte)',');
                isFirst = false;
                output.Raw(group switch { 0 => "\"Alphabetic\":"u8, 1 => "\"Ideographic\":"u8, _ => "\"Phonetic\":"u8 });
                output.String(text);
            }

            output.Byte((byte)'}');
        }

        private static void Numbers(ref JsonOutput output, in DicomElement element, DicomVr vr)
        {
            var value = element.Span;
            var size = vr.NumberBytes;
            if (value.Length < size) return;
            var isBig = element.IsBigEndian;
            output.Raw(",\"Value\":["u8);
            for (var isFirst = true; value.Length >= size; value = value[size..], isFirst = false)
            {
                if (!isFirst) output.Byte((byte)',');
                switch (vr)
                {
                    case DicomVr.US:
                        output.Number((uint)(isBig ? BinaryPrimitives.ReadUInt16BigEndian(value) : BinaryPrimitives.ReadUInt16LittleEndian(value)));
                        break;
                    case DicomVr.SS:
                        output.Number((int)(isBig ? BinaryPrimitives.ReadInt16BigEndian(value) : BinaryPrimitives.ReadInt16LittleEndian(value)));
                        break;
                    case DicomVr.UL:
                        output.Number(isBig ? BinaryPrimitives.ReadUInt32BigEndian(value) : BinaryPrimitives.ReadUInt32LittleEndian(value));
                        break;
                    case DicomVr.SL:
                        output.Number(isBig ? BinaryPrimitives.ReadInt32BigEndian(value) : BinaryPrimitives.ReadInt32LittleEndian(value));
                        break;
                    case DicomVr.UV:
                        Exact(ref output, isBig ? BinaryPrimitives.ReadUInt64BigEndian(value) : BinaryPrimitives.ReadUInt64LittleEndian(value));
                        break;
                    case DicomVr.SV:
                        Exact(ref output, isBig ? BinaryPrimitives.ReadInt64BigEndian(value) : BinaryPrimitives.ReadInt64LittleEndian(value));
                        break;
                    case DicomVr.FL:
                        Real(ref output, isBig ? BinaryPrimitives.ReadSingleBigEndian(value) : BinaryPrimitives.ReadSingleLittleEndian(value));
                        break;
                    case DicomVr.FD:
                        Real(ref output, isBig ? BinaryPrimitives.ReadDoubleBigEndian(value) : BinaryPrimitives.ReadDoubleLittleEndian(value));
                        break;
                    default:
                        var group = isBig ? BinaryPrimitives.ReadUInt16BigEndian(value) : BinaryPrimitives.ReadUInt16LittleEndian(value);
                        var number = isBig ? BinaryPrimitives.ReadUInt16BigEndian(value[2..]) : BinaryPrimitives.ReadUInt16LittleEndian(value[2..]);
                        output.String(new DicomTag(group, number).ToJsonKey());
                        break;
                }
            }

            output.Byte((byte)']');
        }

        private static void Exact<T>(ref JsonOutput output, T value) where T : IUtf8SpanFormattable, System.Numerics.IBinaryInteger<T>
        {
            var isExact = value <= T.CreateChecked(NumberText.MaxExact) && (!T.IsNegative(value) || value >= T.CreateTruncating(-NumberText.MaxExact));
            if (!isExact) output.Byte((byte)'"');
            output.Number(value);
            if (!isExact) output.Byte((byte)'"');
        }

        private static void Real<T>(ref JsonOutput output, T value) where T : IUtf8SpanFormattable, System.Numerics.IBinaryFloatingPointIeee754<T>
        {
            if (T.IsFinite(value)) output.Number(value);
            else output.Raw(T.IsNaN(value) ? "\"NaN\""u8 : T.IsNegative(value) ? "\"-inf\""u8 : "\"inf\""u8);
        }
    }
}
