using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Platform.Dicom.Parsing;

namespace Platform.Dicom;

/// <summary>
/// Writes Part 10 files and data sets. What was read and not changed is written byte for byte as it was; in a data set that was changed the
/// unchanged elements still are, group lengths (gggg,0000) are left out (PS3.5 7.2), and values are padded to even length.
/// A data set read from one transfer syntax can be written in another as long as pixel data stay native or stay encapsulated.
/// </summary>
public static class DicomWriter
{
    /// <summary>
    /// Writes a file with preamble and file meta information in its transfer syntax; file meta information that is missing is made from the
    /// data set (PS3.10 7.1). A bare data set that was read and not changed stays bare. Throws <see cref="InvalidOperationException"/> for a
    /// file that was read without its pixel data or with deferred values, and where pixel data do not fit the transfer syntax.
    /// </summary>
    public static void Write(IBufferWriter<byte> to, DicomFile file)
    {
        if (file.PixelData is not null && !file.IsWhole) throw new InvalidOperationException("The file was read without its pixel data: read it with StopBeforePixels = false.");
        if (file.IsWhole && !file.Dataset.IsChanged && !file.FileMeta.IsChanged)
        {
            foreach (var part in file.OriginalBytes) to.Write(part.Span);
            return;
        }
        to.Write(file.Preamble.Span);
        to.Write("DICM"u8);
        WriteDataset(to, FileMetaOf(file), DicomTransferSyntax.ExplicitVrLittleEndian);
        WriteDataset(to, file.Dataset, file.TransferSyntax);
    }

    /// <inheritdoc cref="Write(IBufferWriter{byte}, DicomFile)"/>
    public static void Write(Stream to, DicomFile file)
    {
        using var buffered = new StreamBufferWriter(to);
        Write(buffered, file);
    }

    /// <summary>Writes a data set alone, without preamble and file meta information.</summary>
    public static void Write(IBufferWriter<byte> to, DicomDataset dataset, DicomTransferSyntax transferSyntax) => WriteDataset(to, dataset, transferSyntax);

    private static void WriteDataset(IBufferWriter<byte> to, DicomDataset dataset, DicomTransferSyntax syntax)
    {
        var encoder = new ElementEncoder(syntax);
        if (!syntax.IsDeflated)
        {
            encoder.Write(to, dataset);
            return;
        }
        using var compressed = new CountingStream(to);
        using (var deflater = new DeflateStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        using (var buffered = new StreamBufferWriter(deflater))
        {
            encoder.Write(buffered, dataset);
        }
        if ((compressed.Count & 1) != 0) to.Write("\0"u8);     // PS3.5 A.5
    }

    private static DicomDataset FileMetaOf(DicomFile file)
    {
        var meta = new DicomDataset();
        meta.Set(DicomTags.FileMetaInformationVersion, DicomVr.OB, new byte[] { 0, 1 });
        meta.Set(DicomTags.MediaStorageSOPClassUID, DicomVr.UI, file.Dataset.TryGetElement(DicomTags.SOPClassUID, out var sopClass) ? sopClass.Value : default);
        meta.Set(DicomTags.MediaStorageSOPInstanceUID, DicomVr.UI, file.Dataset.TryGetElement(DicomTags.SOPInstanceUID, out var instance) ? instance.Value : default);
        if (!file.FileMeta.Contains(DicomTags.ImplementationClassUID))
        {
            meta.Set(DicomTags.ImplementationClassUID, DicomVr.UI, Implementation.ClassUid);
            meta.Set(DicomTags.ImplementationVersionName, DicomVr.SH, Implementation.VersionName);
        }
        foreach (var element in file.FileMeta) meta.Set(element.Tag, element.Vr, element.Value);
        meta.Set(DicomTags.TransferSyntaxUID, DicomVr.UI, file.TransferSyntax.Uid);
        meta.Remove(DicomTags.FileMetaInformationGroupLength);
        var length = new ElementEncoder(DicomTransferSyntax.ExplicitVrLittleEndian).Measure(meta);
        return meta.Set(DicomTags.FileMetaInformationGroupLength, DicomVr.UL, length);
    }

    /// <summary>Encodes elements in one transfer syntax.</summary>
    private readonly struct ElementEncoder(DicomTransferSyntax syntax)
    {
        private const uint ItemTag = 0xFFFEE000, ItemDelimitation = 0xFFFEE00D, SequenceDelimitation = 0xFFFEE0DD;
        private const uint UndefinedLength = 0xFFFFFFFF;
        private const int MaxShortLength = 0xFFFE;

        private readonly EntryFlags _coding = (syntax.IsBigEndian ? EntryFlags.BigEndian : 0) | (syntax.IsExplicitVr ? 0 : EntryFlags.ImplicitVr);

        private bool IsBigEndian => (_coding & EntryFlags.BigEndian) != 0;
        private bool IsExplicit => (_coding & EntryFlags.ImplicitVr) == 0;

        public void Write(IBufferWriter<byte> to, DicomDataset dataset)
        {
            foreach (var element in dataset)
            {
                if (!IsLeftOut(element, dataset)) Write(to, element);
            }
        }

        /// <summary>Bytes that <see cref="Write(IBufferWriter{byte}, DicomDataset)"/> will write.</summary>
        public long Measure(DicomDataset dataset)
        {
            long bytes = 0;
            foreach (var element in dataset)
            {
                if (!IsLeftOut(element, dataset)) bytes += Measure(element);
            }
            return bytes;
        }

        // A group length would be wrong after a change, and is not needed; that of the file meta information is (PS3.10 7.1).
        private bool IsLeftOut(in DicomElement element, DicomDataset dataset) =>
            element.Tag.IsGroupLength && !element.Tag.IsFileMeta && (dataset.IsChanged || !IsVerbatim(element));

        /// <summary>Whether the element can be copied from its source.</summary>
        private bool IsVerbatim(in DicomElement element) =>
            element.TryGetEntry(out var entry) && (entry.Flags & (EntryFlags.BigEndian | EntryFlags.ImplicitVr)) == _coding && !element.HasChangedItems;

        private long Measure(in DicomElement element)
        {
            if (IsVerbatim(element)) return element.GetSourceBytes().Length;
            if (element.IsSequence)
            {
                var isUndefined = element.IsUndefinedLength;
                return HeaderBytes(DicomVr.SQ) + MeasureItems(element, isUndefined) + (isUndefined ? 8 : 0);
            }
            if (element.IsEncapsulated) return HeaderBytes(DicomVr.OB) + element.Fragments.Sum(fragment => 8L + Even(fragment.Length)) + 8;
            var length = Even(element.Length);
            return HeaderBytes(VrOf(element, length)) + length;
        }

        private long MeasureItems(in DicomElement sequence, bool isUndefined)
        {
            long bytes = 0;
            foreach (var item in sequence.Items) bytes += 8 + Measure(item) + (isUndefined ? 8 : 0);
            return bytes;
        }

        private void Write(IBufferWriter<byte> to, in DicomElement element)
        {
            if (IsVerbatim(element))
            {
                to.Write(element.GetSourceBytes());
                return;
            }
            if (element.IsSequence) WriteSequence(to, element);
            else if (element.IsEncapsulated) WriteFragments(to, element);
            else WriteValue(to, element);
        }

        private void WriteSequence(IBufferWriter<byte> to, in DicomElement element)
        {
            var isUndefined = element.IsUndefinedLength;
            WriteHeader(to, element.Tag, DicomVr.SQ, isUndefined ? UndefinedLength : Checked(MeasureItems(element, false), element.Tag));
            foreach (var item in element.Items)
            {
                WriteItemHeader(to, ItemTag, isUndefined ? UndefinedLength : Checked(Measure(item), element.Tag));
                Write(to, item);
                if (isUndefined) WriteItemHeader(to, ItemDelimitation, 0);
            }
            if (isUndefined) WriteItemHeader(to, SequenceDelimitation, 0);
        }

        private void WriteFragments(IBufferWriter<byte> to, in DicomElement element)
        {
            if (!syntax.IsEncapsulated && element.Tag.Group == 0x7FE0) throw new InvalidOperationException($"Encapsulated pixel data cannot be written in {syntax}.");
            WriteHeader(to, element.Tag, DicomVr.OB, UndefinedLength);
            foreach (var fragment in element.Fragments)
            {
                WriteItemHeader(to, ItemTag, Checked(Even(fragment.Length), element.Tag));
                to.Write(fragment.Span);
                if ((fragment.Length & 1) != 0) to.Write("\0"u8);
            }
            WriteItemHeader(to, SequenceDelimitation, 0);
        }

        private void WriteValue(IBufferWriter<byte> to, in DicomElement element)
        {
            if (element.IsDeferred) throw new InvalidOperationException($"The value of {element.Tag} was left in the source: read the file with StopBeforePixels = false.");
            var length = Even(element.Length);
            WriteHeader(to, element.Tag, VrOf(element, length), Checked(length, element.Tag));
            if (element.IsBigEndian == IsBigEndian) to.Write(element.Span);
            else if (element.IsBigEndian) element.WriteLittleEndian(to);
            else WriteSwapped(to, element.Span, element.UnitBytes);
            if (length != element.Length) to.Write([element.Vr.PaddingByte]);
        }

        private static void WriteSwapped(IBufferWriter<byte> to, ReadOnlySpan<byte> value, int unit)
        {
            const int ChunkBytes = 32 * 1024;
            while (!value.IsEmpty)
            {
                var chunk = value[..Math.Min(value.Length, ChunkBytes)];
                var target = to.GetSpan(chunk.Length)[..chunk.Length];
                chunk.CopyTo(target);
                ByteOrder.Swap(target, unit);
                to.Advance(chunk.Length);
                value = value[chunk.Length..];
            }
        }

        // PS3.5 6.2.2: what is too long for its VR's 16-bit length goes as UN.
        private DicomVr VrOf(in DicomElement element, long length) =>
            !element.Vr.IsKnown || (IsExplicit && !element.Vr.IsLong && length > MaxShortLength) ? DicomVr.UN : element.Vr;

        private int HeaderBytes(DicomVr vr) => IsExplicit && vr.IsLong ? 12 : 8;

        private void WriteHeader(IBufferWriter<byte> to, DicomTag tag, DicomVr vr, uint length)
        {
            Span<byte> header = stackalloc byte[12];
            PutTag(header, tag.Value);
            if (!IsExplicit)
            {
                PutLength(header[4..], length);
                to.Write(header[..8]);
                return;
            }
            BinaryPrimitives.WriteUInt16LittleEndian(header[4..], (ushort)vr);
            if (vr.IsLong)
            {
                header[6..8].Clear();
                PutLength(header[8..], length);
                to.Write(header);
                return;
            }
            if (IsBigEndian) BinaryPrimitives.WriteUInt16BigEndian(header[6..], (ushort)length);
            else BinaryPrimitives.WriteUInt16LittleEndian(header[6..], (ushort)length);
            to.Write(header[..8]);
        }

        private void WriteItemHeader(IBufferWriter<byte> to, uint tag, uint length)
        {
            Span<byte> header = stackalloc byte[8];
            PutTag(header, tag);
            PutLength(header[4..], length);
            to.Write(header);
        }

        private void PutTag(Span<byte> target, uint tag)
        {
            if (IsBigEndian) BinaryPrimitives.WriteUInt32BigEndian(target, tag);
            else BinaryPrimitives.WriteUInt32LittleEndian(target, uint.RotateLeft(tag, 16));
        }

        private void PutLength(Span<byte> target, uint length)
        {
            if (IsBigEndian) BinaryPrimitives.WriteUInt32BigEndian(target, length);
            else BinaryPrimitives.WriteUInt32LittleEndian(target, length);
        }

        private static long Even(long length) => length + (length & 1);

        private static uint Checked(long length, DicomTag tag) =>
            length < UndefinedLength ? (uint)length : throw new InvalidOperationException($"{tag} is longer than 4 GiB.");
    }

    /// <summary>A stream that ends in a buffer writer.</summary>
    private sealed class CountingStream(IBufferWriter<byte> to) : Stream
    {
        public long Count { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            to.Write(buffer);
            Count += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
        public override void Flush() { }
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
