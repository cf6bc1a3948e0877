using System.Buffers.Binary;
using System.Globalization;

namespace Platform.Dicom;

/// <summary>Makes the bytes of values set in memory: little endian, unpadded.</summary>
internal static class ValueEncoder
{
    internal static byte[] Encode(ReadOnlySpan<string> values, DicomVr vr, DicomEncoding encoding)
    {
        if (vr.IsNumeric) return EncodeNumbers(values, vr);
        if (!vr.IsText) throw new ArgumentException($"{vr} has no text form.", nameof(vr));
        if (vr.IsSingleValued && values.Length > 1) throw new ArgumentException($"{vr} holds one value.", nameof(values));
        using var bytes = new MemoryStream();
        for (var i = 0; i < values.Length; i++)
        {
            if (i > 0) bytes.WriteByte((byte)'\\');
            if (!vr.IsSingleValued && values[i].Contains('\\')) throw new ArgumentException("A backslash would be taken for the delimiter of values.", nameof(values));
            bytes.Write(vr.UsesCharacterSet ? encoding.Encode(values[i], vr) : DicomEncoding.Default.Encode(values[i], vr));
        }
        return bytes.ToArray();
    }

    internal static byte[] Encode(ReadOnlySpan<long> values, DicomVr vr)
    {
        if (vr.IsText)
        {
            var texts = new string[values.Length];
            for (var i = 0; i < texts.Length; i++) texts[i] = values[i].ToString(CultureInfo.InvariantCulture);
            return Encode(texts, vr, DicomEncoding.Default);
        }
        var size = NumberSize(vr);
        var bytes = new byte[values.Length * size];
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i];
            var target = bytes.AsSpan(i * size);
            switch (vr)
            {
                case DicomVr.US: BinaryPrimitives.WriteUInt16LittleEndian(target, Checked<ushort>(value)); break;
                case DicomVr.SS: BinaryPrimitives.WriteInt16LittleEndian(target, Checked<short>(value)); break;
                case DicomVr.UL: BinaryPrimitives.WriteUInt32LittleEndian(target, Checked<uint>(value)); break;
                case DicomVr.SL: BinaryPrimitives.WriteInt32LittleEndian(target, Checked<int>(value)); break;
                case DicomVr.UV: BinaryPrimitives.WriteUInt64LittleEndian(target, Checked<ulong>(value)); break;
                case DicomVr.SV: BinaryPrimitives.WriteInt64LittleEndian(target, value); break;
                case DicomVr.FL: BinaryPrimitives.WriteSingleLittleEndian(target, value); break;
                default: BinaryPrimitives.WriteDoubleLittleEndian(target, value); break;
            }
        }
        return bytes;
    }

    internal static byte[] Encode(ReadOnlySpan<double> values, DicomVr vr)
    {
        if (vr.IsText)
        {
            var texts = new string[values.Length];
            for (var i = 0; i < texts.Length; i++) texts[i] = DecimalString(values[i]);
            return Encode(texts, vr, DicomEncoding.Default);
        }
        if (vr is not (DicomVr.FL or DicomVr.FD))
        {
            var whole = new long[values.Length];
            for (var i = 0; i < whole.Length; i++) whole[i] = values[i] == Math.Truncate(values[i]) ? checked((long)values[i]) : throw OutOfRange(vr);
            return Encode(whole, vr);
        }
        var size = NumberSize(vr);
        var bytes = new byte[values.Length * size];
        for (var i = 0; i < values.Length; i++)
        {
            if (vr == DicomVr.FL) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * size), (float)values[i]);
            else BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(i * size), values[i]);
        }
        return bytes;
    }

    internal static byte[] Encode(ReadOnlySpan<DicomTag> values)
    {
        var bytes = new byte[values.Length * 4];
        for (var i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * 4), values[i].Group);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * 4 + 2), values[i].Element);
        }
        return bytes;
    }

    /// <summary>The shortest text that reads back as the same number, or the nearest one of 16 characters (PS3.5 6.2, DS).</summary>
    internal static string DecimalString(double value)
    {
        if (!double.IsFinite(value)) throw new ArgumentException("A decimal string is finite.", nameof(value));
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        for (var digits = 15; text.Length > 16; digits--) text = value.ToString("G" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return text;
    }

    private static byte[] EncodeNumbers(ReadOnlySpan<string> values, DicomVr vr)
    {
        if (vr == DicomVr.AT)
        {
            var tags = new DicomTag[values.Length];
            for (var i = 0; i < tags.Length; i++) tags[i] = DicomTag.TryParse(values[i], out var tag) ? tag : throw OutOfRange(vr);
            return Encode(tags);
        }
        if (vr is DicomVr.FL or DicomVr.FD)
        {
            var reals = new double[values.Length];
            for (var i = 0; i < reals.Length; i++) reals[i] = double.TryParse(values[i], NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? real : throw OutOfRange(vr);
            return Encode(reals, vr);
        }
        if (vr == DicomVr.UV)
        {
            var bytes = new byte[values.Length * 8];
            for (var i = 0; i < values.Length; i++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * 8), ulong.TryParse(values[i], CultureInfo.InvariantCulture, out var large) ? large : throw OutOfRange(vr));
            }
            return bytes;
        }
        var whole = new long[values.Length];
        for (var i = 0; i < whole.Length; i++) whole[i] = long.TryParse(values[i], CultureInfo.InvariantCulture, out var number) ? number : throw OutOfRange(vr);
        return Encode(whole, vr);
    }

    private static int NumberSize(DicomVr vr) => vr.IsNumeric && vr != DicomVr.AT ? vr.NumberBytes : throw new ArgumentException($"{vr} does not hold numbers.", nameof(vr));

    private static T Checked<T>(long value) where T : struct, System.Numerics.INumber<T>
    {
        try
        {
            return T.CreateChecked(value);
        }
        catch (OverflowException)
        {
            throw new ArgumentException($"The number is out of the range of {typeof(T).Name}.", nameof(value));
        }
    }

    private static ArgumentException OutOfRange(DicomVr vr) => new($"Not a value that {vr} can hold.", "values");
}
