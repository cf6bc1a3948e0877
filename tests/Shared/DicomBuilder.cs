using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using Platform.Dicom;
using Platform.Dicom.Pixels;

namespace Platform.Tests.Shared;

/// <summary>
/// Makes synthetic DICOM images: a small CT by default, every attribute and the container changeable. Pixels are a function of frame,
/// row and column, so that a test can say what it must find. The same settings give the same bytes.
/// </summary>
/// <example><c>new DicomBuilder { Frames = 3, TransferSyntax = DicomTransferSyntax.RleLossless }.With(DicomTags.PatientID, "X").Build()</c></example>
public sealed class DicomBuilder
{
    private readonly List<Action<DicomDataset>> _changes = [];

    public DicomTransferSyntax TransferSyntax { get; init; } = DicomTransferSyntax.ExplicitVrLittleEndian;
    public int Rows { get; init; } = 16;
    public int Columns { get; init; } = 12;

    /// <summary>1 leaves Number of Frames out.</summary>
    public int Frames { get; init; } = 1;

    /// <summary>1, 8, 16 or 32.</summary>
    public int BitsAllocated { get; init; } = 16;

    /// <summary>1, or 3 for RGB.</summary>
    public int SamplesPerPixel { get; init; } = 1;

    public string StudyUid { get; init; } = "2.25.1000";
    public string SeriesUid { get; init; } = "2.25.1000.1";
    public string InstanceUid { get; init; } = "2.25.1000.1.1";
    public string SopClassUid { get; init; } = DicomUids.CTImageStorage;
    public string Modality { get; init; } = "CT";
    public int InstanceNumber { get; init; } = 1;

    /// <summary>For encapsulated syntaxes: the offset table to write.</summary>
    public OffsetTable OffsetTable { get; init; } = OffsetTable.Basic;

    /// <summary>For encapsulated syntaxes: how many fragments each frame is cut into; an extended table needs 1.</summary>
    public int FragmentsPerFrame { get; init; } = 1;

    /// <summary>The value of a sample, low bits used: by default a gradient that differs from frame to frame.</summary>
    public Func<int, int, int, uint> Pixel { get; init; } = (frame, row, column) => (uint)(frame * 131 + row * 17 + column * 5);

    /// <summary>For encapsulated syntaxes: the compressed stream of a frame. By default real RLE for RLE Lossless, else <see cref="FakeStream"/>.</summary>
    public Func<int, byte[]>? CompressedFrame { get; init; }

    /// <summary>Sets an attribute last, after the defaults.</summary>
    public DicomBuilder With(DicomTag tag, params string[] values) => With(dataset => dataset.Set(tag, values));

    /// <summary>Sets a numeric attribute last.</summary>
    public DicomBuilder With(DicomTag tag, params long[] values) => With(dataset => dataset.Set(tag, values));

    /// <summary>Changes the data set last.</summary>
    public DicomBuilder With(Action<DicomDataset> change)
    {
        _changes.Add(change);
        return this;
    }

    /// <summary>The data set, pixels included.</summary>
    public DicomDataset ToDataset()
    {
        var dataset = new DicomDataset();
        dataset.Set(DicomTags.SpecificCharacterSet, "ISO_IR 192")
            .Set(DicomTags.ImageType, "ORIGINAL", "PRIMARY", "AXIAL")
            .Set(DicomTags.SOPClassUID, SopClassUid)
            .Set(DicomTags.SOPInstanceUID, InstanceUid)
            .Set(DicomTags.StudyDate, "20261120")
            .Set(DicomTags.StudyTime, "120000")
            .Set(DicomTags.AccessionNumber, "A1")
            .Set(DicomTags.Modality, Modality)
            .Set(DicomTags.ReferringPhysicianName, "")
            .Set(DicomTags.StudyDescription, "synthetic")
            .Set(DicomTags.SeriesDescription, "axial")
            .Set(DicomTags.PatientName, "SYNTHETIC^TEST")
            .Set(DicomTags.PatientID, "SYN-1")
            .Set(DicomTags.PatientBirthDate, "19700101")
            .Set(DicomTags.PatientSex, "O")
            .Set(DicomTags.StudyInstanceUID, StudyUid)
            .Set(DicomTags.SeriesInstanceUID, SeriesUid)
            .Set(DicomTags.StudyID, "1")
            .Set(DicomTags.SeriesNumber, 1)
            .Set(DicomTags.InstanceNumber, InstanceNumber)
            .Set(DicomTags.ImagePositionPatient, 0.0, 0.0, InstanceNumber * 1.25)
            .Set(DicomTags.ImageOrientationPatient, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
            .Set(DicomTags.FrameOfReferenceUID, SeriesUid + ".99")
            .Set(DicomTags.SliceThickness, 1.25)
            .Set(DicomTags.SamplesPerPixel, SamplesPerPixel)
            .Set(DicomTags.PhotometricInterpretation, SamplesPerPixel == 3 ? "RGB" : "MONOCHROME2")
            .Set(DicomTags.Rows, Rows)
            .Set(DicomTags.Columns, Columns)
            .Set(DicomTags.PixelSpacing, 0.5, 0.5)
            .Set(DicomTags.BitsAllocated, BitsAllocated)
            .Set(DicomTags.BitsStored, BitsAllocated)
            .Set(DicomTags.HighBit, BitsAllocated - 1)
            .Set(DicomTags.PixelRepresentation, 0)
            .Set(DicomTags.WindowCenter, 128)
            .Set(DicomTags.WindowWidth, 256);
        if (SamplesPerPixel > 1) dataset.Set(DicomTags.PlanarConfiguration, 0);
        else dataset.Set(DicomTags.RescaleIntercept, 0).Set(DicomTags.RescaleSlope, 1);
        if (Frames > 1) dataset.Set(DicomTags.NumberOfFrames, Frames);
        if (TransferSyntax.IsEncapsulated) SetCompressed(dataset);
        else dataset.Set(DicomTags.PixelData, BitsAllocated > 8 ? DicomVr.OW : DicomVr.OB, NativePixels());
        foreach (var change in _changes) change(dataset);
        return dataset;
    }

    /// <summary>A Part 10 file.</summary>
    public byte[] Build()
    {
        var bytes = new ArrayBufferWriter<byte>();
        DicomWriter.Write(bytes, new DicomFile(ToDataset(), TransferSyntax));
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>The data set alone, without preamble and file meta information.</summary>
    public byte[] BuildBare()
    {
        var bytes = new ArrayBufferWriter<byte>();
        DicomWriter.Write(bytes, ToDataset(), TransferSyntax);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Writes <see cref="Build"/> to a file and returns its path.</summary>
    public string Save(string path)
    {
        File.WriteAllBytes(path, Build());
        return path;
    }

    /// <summary>A frame's native pixels, little endian, from a byte's beginning.</summary>
    public byte[] NativeFrame(int frameIndex)
    {
        var samples = Rows * Columns * SamplesPerPixel;
        var bytes = new byte[(samples * (long)BitsAllocated + 7) / 8];
        for (var i = 0; i < samples; i++) Put(bytes, i, frameIndex, i);
        return bytes;
    }

    /// <summary>The compressed stream of a frame, as it is put into fragments.</summary>
    public byte[] EncodedFrame(int frameIndex) =>
        CompressedFrame?.Invoke(frameIndex) ?? (TransferSyntax == DicomTransferSyntax.RleLossless ? RleFrame(frameIndex) : FakeStream(frameIndex));

    /// <summary>No image, but begins and ends as JPEG does, holds no marker between, and differs in content and length from frame to frame.</summary>
    public static byte[] FakeStream(int frameIndex)
    {
        var stream = new byte[40 + 6 * (frameIndex % 7)];
        for (var i = 4; i < stream.Length - 2; i++) stream[i] = (byte)((frameIndex * 7 + i) % 0xFE);
        (stream[0], stream[1], stream[2], stream[3]) = (0xFF, 0xD8, 0xFF, 0xE0);
        (stream[^2], stream[^1]) = (0xFF, 0xD9);
        return stream;
    }

    private byte[] NativePixels()
    {
        var samples = Rows * Columns * SamplesPerPixel;
        var bits = (long)samples * BitsAllocated * Frames;
        var bytes = new byte[(bits + 7) / 8];
        for (var frame = 0; frame < Frames; frame++)
        {
            for (var i = 0; i < samples; i++) Put(bytes, (long)frame * samples + i, frame, i);
        }
        return bytes;
    }

    private void Put(byte[] bytes, long at, int frame, int sample)
    {
        var pixel = sample / SamplesPerPixel;
        var value = Pixel(frame, pixel / Columns, pixel % Columns) + (uint)(sample % SamplesPerPixel) * 40;
        switch (BitsAllocated)
        {
            case 1: bytes[at >> 3] |= (byte)((value & 1) << (int)(at & 7)); break;
            case 8: bytes[at] = (byte)value; break;
            case 16: BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan((int)at * 2), (ushort)value); break;
            case 32: BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan((int)at * 4), value); break;
            default: throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{BitsAllocated} bits are not made here."));
        }
    }

    private void SetCompressed(DicomDataset dataset)
    {
        ReadOnlyMemory<byte>[] frames = [.. Enumerable.Range(0, Frames).Select(frame => (ReadOnlyMemory<byte>)EncodedFrame(frame))];
        if (FragmentsPerFrame == 1)
        {
            dataset.SetFrames(frames, OffsetTable);
            return;
        }
        var table = new byte[OffsetTable == OffsetTable.Basic ? 4 * Frames : 0];
        var fragments = new List<ReadOnlyMemory<byte>> { table };
        var offset = 0;
        for (var frame = 0; frame < Frames; frame++)
        {
            if (table.Length > 0) BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(4 * frame), offset);
            var size = Math.Max(2, frames[frame].Length / FragmentsPerFrame & ~1);
            for (var i = 0; i < FragmentsPerFrame; i++)
            {
                var fragment = i == FragmentsPerFrame - 1 ? frames[frame][(i * size)..] : frames[frame].Slice(i * size, size);
                fragments.Add(fragment);
                offset += 8 + fragment.Length + (fragment.Length & 1);
            }
        }
        dataset.SetFragments(DicomTags.PixelData, fragments);
    }

    // PS3.5 G: one segment per byte plane, most significant first, each packed as literal runs.
    private byte[] RleFrame(int frameIndex)
    {
        var native = NativeFrame(frameIndex);
        var bytesPerSample = BitsAllocated / 8;
        var stride = bytesPerSample * SamplesPerPixel;
        using var stream = new MemoryStream();
        stream.Write(new byte[64]);
        var offsets = new List<int>();
        for (var sample = 0; sample < SamplesPerPixel; sample++)
        {
            for (var plane = bytesPerSample - 1; plane >= 0; plane--)
            {
                offsets.Add((int)stream.Position);
                byte[] segment = [.. Enumerable.Range(0, Rows * Columns).Select(pixel => native[pixel * stride + sample * bytesPerSample + plane])];
                foreach (var run in segment.Chunk(128))
                {
                    stream.WriteByte((byte)(run.Length - 1));
                    stream.Write(run);
                }
                if ((stream.Position & 1) != 0) stream.WriteByte(0);
            }
        }
        var bytes = stream.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes, offsets.Count);
        for (var i = 0; i < offsets.Count; i++) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 + 4 * i), offsets[i]);
        return bytes;
    }
}
