using System.Buffers;
using System.Globalization;
using Platform.Dicom.Json;
using Platform.Dicom.Pixels;
using Platform.Tests.Shared;
using Xunit.Abstractions;

namespace Platform.Dicom.Tests.Parsing;

/// <summary>
/// Good files, damaged: whatever comes, reading gives data or a <see cref="DicomParseException"/>. Input n is the same in every run, so a
/// failure names the number to repeat: PLATFORM_FUZZ_FIRST=n PLATFORM_FUZZ_COUNT=1.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private static readonly int Count = Setting("PLATFORM_FUZZ_COUNT", 50_000);
    private static readonly int First = Setting("PLATFORM_FUZZ_FIRST", 0);

    // Small limits, so that what should be refused is, and what is accepted stays quick.
    private static readonly DicomReadOptions Header = new() { MaxElements = 20_000, MaxInflatedBytes = 1 << 20, MaxValueBytes = 1 << 20, MaxBufferBytes = 1 << 21 };
    private static readonly DicomReadOptions Whole = Header with { StopBeforePixels = false };

    [Fact]
    public async Task Read_DamagedFiles_GivesDataOrTheException()
    {
        var seeds = Seeds();
        int read = 0, refused = 0;
        await Parallel.ForEachAsync(Enumerable.Range(First, Count), async (number, cancellationToken) =>
        {
            var input = Damage(seeds, number);
            try
            {
                if (await UseAsync(input, cancellationToken)) Interlocked.Increment(ref read);
                else Interlocked.Increment(ref refused);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Input {number} of {input.Length} bytes: {exception.GetType().Name}: {exception.Message}"), exception);
            }
        });
        output.WriteLine($"{read} read, {refused} refused");

        // A mutator that destroys everything, or nothing, would prove nothing.
        if (Count < 1000) return;
        Assert.InRange(read, Count / 10, Count);
        Assert.InRange(refused, Count / 50, Count);
    }

    /// <summary>Asks for all there is; true when the input could be read.</summary>
    private static async Task<bool> UseAsync(byte[] input, CancellationToken cancellationToken)
    {
        var isRead = false;
        try
        {
            using var header = DicomFile.Read(input, Header, cancellationToken);
            isRead = true;
            UseAll(header.FileMeta, 0);
            UseAll(header.Dataset, 0);
            DicomJsonWriter.ToUtf8(header.Dataset);
            using var source = DicomSource.FromMemory(input);
            if (!header.TransferSyntax.IsDeflated) await UseFramesAsync(source, header, cancellationToken);
        }
        catch (DicomParseException)
        {
        }
        try
        {
            using var whole = await DicomFile.ReadAsync(new MemoryStream(input), Whole, cancellationToken);
            isRead = true;
            UseAll(whole.Dataset, 0);
            var written = new ArrayBufferWriter<byte>();
            DicomWriter.Write(written, whole);
            Assert.Equal(input.AsSpan(), written.WrittenSpan);
            await UseFramesAsync(DicomSource.FromFile(whole), whole, cancellationToken);
            Rewrite(whole);
        }
        catch (DicomParseException)
        {
        }
        return isRead;
    }

    private static void UseAll(DicomDataset dataset, int depth)
    {
        foreach (var element in dataset)
        {
            _ = element.ValueCount;
            _ = element.GetString();
            _ = element.GetString(7);
            _ = element.GetStrings();
            _ = element.GetInt64();
            _ = element.GetInt32(1);
            _ = element.GetDouble();
            _ = element.GetDoubles();
            _ = element.GetTag();
            _ = element.Offset;
            _ = element.Fragments.Count;
            Assert.True(dataset.TryGetElement(element.Tag, out _));
            foreach (var item in element.Items) UseAll(item, depth + 1);
        }
    }

    private static async Task UseFramesAsync(DicomSource source, DicomFile file, CancellationToken cancellationToken)
    {
        PixelDescription.TryRead(file.Dataset, out _);
        var index = await FrameIndex.ReadAsync(source, file, cancellationToken);
        if (index is null) return;
        index = FrameIndex.FromBytes(index.ToBytes());
        var pixels = new ArrayBufferWriter<byte>();
        foreach (var frame in new[] { 0, 1, index.FrameCount - 1 })
        {
            if (frame >= index.FrameCount) continue;
            _ = index.GetLength(frame);
            _ = index.GetBitOffset(frame);
            pixels.Clear();
            await index.ReadFrameAsync(source, frame, pixels, cancellationToken);
        }
    }

    /// <summary>Changes the data set and writes it in another syntax: what comes out can be read again, and says the same.</summary>
    private static void Rewrite(DicomFile file)
    {
        var syntax = file.TransferSyntax.IsEncapsulated ? file.TransferSyntax
            : file.TransferSyntax == DicomTransferSyntax.ExplicitVrLittleEndian ? DicomTransferSyntax.ExplicitVrBigEndian
            : DicomTransferSyntax.ExplicitVrLittleEndian;
        if (file.Dataset.Any(element => element.Tag.Group <= 2)) return;    // commands and file meta information among the data do not come back as such
        var count = file.Dataset.Count(element => !element.Tag.IsGroupLength);
        file.Dataset.Set(DicomTags.PatientID, DicomVr.LO, "CHANGED");
        if (!file.Dataset.Contains(DicomTags.PatientID)) return;
        var written = new ArrayBufferWriter<byte>();
        try
        {
            DicomWriter.Write(written, new DicomFile(file.Dataset, syntax));
        }
        catch (InvalidOperationException)
        {
            return; // fragments in a native syntax
        }
        using var again = DicomFile.Read(written.WrittenMemory, Whole with { MaxElements = 40_000, MaxBufferBytes = 1 << 23 });
        Assert.InRange(again.Dataset.Count, count, count + 1);
        Assert.Equal("CHANGED", again.Dataset.GetString(DicomTags.PatientID));
    }

    private static byte[] Damage(byte[][] seeds, int number)
    {
        var random = new Random(number * 2654435 + 17);
        var bytes = (byte[])seeds[random.Next(seeds.Length)].Clone();
        for (var times = 1 + random.Next(4); times > 0 && bytes.Length > 8; times--)
        {
            // Most damage goes where headers are.
            var at = random.Next(4) == 0 ? random.Next(bytes.Length - 4) : random.Next(Math.Min(bytes.Length - 4, 2048));
            switch (random.Next(9))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes = bytes[..at];
                    break;
                case 3:
                    BitConverter.TryWriteBytes(bytes.AsSpan(at), Interesting(random));
                    break;
                case 4:
                    BitConverter.TryWriteBytes(bytes.AsSpan(at), (ushort)Interesting(random));
                    break;
                case 5:
                    {
                        var other = seeds[random.Next(seeds.Length)];
                        var from = random.Next(other.Length);
                        var length = Math.Min(random.Next(1, 400), Math.Min(other.Length - from, bytes.Length - at));
                        other.AsSpan(from, length).CopyTo(bytes.AsSpan(at));
                        break;
                    }
                case 6:
                    {
                        var length = Math.Min(random.Next(1, 64), bytes.Length - at);
                        bytes = [.. bytes[..at], .. bytes[(at + length)..]];
                        break;
                    }
                case 7:
                    {
                        var length = Math.Min(random.Next(1, 64), bytes.Length - at);
                        bytes = [.. bytes[..(at + length)], .. bytes[at..]];
                        break;
                    }
                default:
                    {
                        // A delimitation item, an item or a sequence where there was something else.
                        byte[][] markers = [[0xFE, 0xFF, 0x00, 0xE0], [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0], [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0], "SQ\0\0"u8.ToArray(), "UN\0\0\u00FF"u8.ToArray(), [0xE0, 0x7F, 0x10, 0x00]];
                        var marker = markers[random.Next(markers.Length)];
                        marker.AsSpan(0, Math.Min(marker.Length, bytes.Length - at)).CopyTo(bytes.AsSpan(at));
                        break;
                    }
            }
        }
        return bytes;
    }

    private static uint Interesting(Random random) => random.Next(8) switch
    {
        0 => 0xFFFFFFFF,
        1 => 0xFFFFFFFE,
        2 => 0x7FFFFFFF,
        3 => 0x80000000,
        4 => 0,
        5 => (uint)random.Next(300),
        6 => (uint)random.Next(70_000),
        _ => (uint)random.Next(),
    };

    private static byte[][] Seeds()
    {
        var seeds = new List<byte[]>();
        foreach (var syntax in new[] { DicomTransferSyntax.ImplicitVrLittleEndian, DicomTransferSyntax.ExplicitVrLittleEndian, DicomTransferSyntax.ExplicitVrBigEndian, DicomTransferSyntax.DeflatedExplicitVrLittleEndian })
        {
            seeds.Add(new DicomBuilder { TransferSyntax = syntax, Rows = 8, Columns = 8, Frames = 3 }.With(Nest).Build());
            seeds.Add(new DicomBuilder { TransferSyntax = syntax, Rows = 7, Columns = 5, Frames = 4, BitsAllocated = 1 }.Build());
            if (!syntax.IsDeflated) seeds.Add(new DicomBuilder { TransferSyntax = syntax, Rows = 4, Columns = 4 }.With(Nest).BuildBare());
        }
        foreach (var table in Enum.GetValues<OffsetTable>())
        {
            seeds.Add(new DicomBuilder { TransferSyntax = DicomTransferSyntax.JpegBaseline, OffsetTable = table, Frames = 6, BitsAllocated = 8 }.Build());
            if (table != OffsetTable.Extended) seeds.Add(new DicomBuilder { TransferSyntax = DicomTransferSyntax.JpegBaseline, OffsetTable = table, Frames = 3, FragmentsPerFrame = 3, BitsAllocated = 8 }.Build());
        }
        var undefined = new RawDicom().Element(0x00080005, "CS", "\\ISO 2022 IR 87").Element(0x00080060, "CS", "CT").Header(0x00081140, "SQ", RawDicom.Undefined)
            .Item().Element(0x00080100, "SH", "CODE").Header(0x00081140, "SQ", RawDicom.Undefined).Item().EndItem().EndSequence().EndItem().EndSequence()
            .Element(0x00100010, "PN", "Yamada^Tarou=\u001b$B;3ED\u001b(B^\u001b$BB@O:\u001b(B")
            .Header(0x00211001, "UN", RawDicom.Undefined).Bytes(new RawDicom(isExplicit: false).Item().Element(0x00100010, "PN", "INSIDE").EndItem().EndSequence().ToArray());
        seeds.Add(undefined.ToFile(DicomTransferSyntax.ExplicitVrLittleEndian));
        seeds.Add(undefined.ToDeflatedFile());

        // Real ones where there are any, the small ones: they hold what builders do not think of.
        foreach (var folder in new[] { "dicom-zoo", "malformed" })
        {
            seeds.AddRange(TestData.GetFiles(folder).Select(path => new FileInfo(path)).Where(file => file.Length is > 0 and < 8000).Select(file => File.ReadAllBytes(file.FullName)));
        }
        return [.. seeds];

        static void Nest(DicomDataset dataset)
        {
            var inner = new DicomDataset().Set(DicomTags.CodeValue, "1").Set(DicomTags.CodeMeaning, "Meaning");
            var outer = new DicomDataset().Set(DicomTags.ReferencedSOPInstanceUID, "1.2.3");
            dataset.Set(DicomTags.ReferencedImageSequence, outer, new DicomDataset());
            outer.Set(DicomTags.PurposeOfReferenceCodeSequence, inner);
            dataset.Set(new DicomTag(0x0029, 0x0010), DicomVr.LO, "MAKER").Set(new DicomTag(0x0029, 0x1001), DicomVr.UN, new byte[30]);
            dataset.Set(DicomTags.ExtendedOffsetTable, DicomVr.OV, new byte[16]);
        }
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
