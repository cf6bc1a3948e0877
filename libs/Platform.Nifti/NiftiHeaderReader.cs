using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Platform.Nifti;

/// <summary>
/// Reads the header from the first bytes of a file (inflated, where it is compressed). Field offsets are those of nifti1.h and nifti2.h;
/// the byte order is the one in which the first field is 348 or 540.
/// </summary>
public static class NiftiHeaderReader
{
    /// <summary>Bytes of a NIfTI-2 header, the longer one: with so many, or the whole of a shorter file, a header can be read.</summary>
    public const int MaxHeaderBytes = 540;

    private const int Nifti1Bytes = 348;
    private const int MaxDimensions = 7;

    /// <summary>Whether the bytes begin like a header, in either byte order.</summary>
    public static bool LooksLikeHeader(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 4 && BinaryPrimitives.ReadInt32LittleEndian(bytes) is Nifti1Bytes or MaxHeaderBytes or 0x5C010000 or 0x1C020000;

    /// <exception cref="InvalidNiftiException">No header, or one that contradicts itself or exceeds a limit.</exception>
    public static NiftiHeader Read(ReadOnlySpan<byte> bytes, NiftiReadOptions? options = null)
    {
        options ??= NiftiReadOptions.Default;
        if (bytes.Length < 4 || !LooksLikeHeader(bytes)) throw new InvalidNiftiException("The file does not begin with a NIfTI header.", 0);
        var size = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        var isBigEndian = size is not (Nifti1Bytes or MaxHeaderBytes);
        if (isBigEndian) size = BinaryPrimitives.ReverseEndianness(size);
        if (bytes.Length < size) throw new InvalidNiftiException($"The header has {size} bytes, the file {bytes.Length}.", bytes.Length);
        var fields = new Fields(bytes, isBigEndian);
        return size == MaxHeaderBytes ? ReadNifti2(fields, options) : ReadNifti1(fields, options);
    }

    private static NiftiHeader ReadNifti1(in Fields fields, NiftiReadOptions options)
    {
        var magic = fields.Bytes.Slice(344, 4);
        var isSingle = magic.SequenceEqual("n+1\0"u8);
        var version = isSingle || magic.SequenceEqual("ni1\0"u8) ? 1 : 0;
        var draft = new Draft
        {
            Version = version,
            IsPair = !isSingle,
            DataType = fields.Int16(70),
            DimensionCount = fields.Int16(40),
            VoxelOffset = fields.Float(108),
            // ANALYZE 7.5 has no scaling and no orientation that programs agree on: what stands there is history.
            Slope = version == 0 ? 0 : fields.Float(112),
            Intercept = version == 0 ? 0 : fields.Float(116),
            CalMax = fields.Float(124),
            CalMin = fields.Float(128),
            Units = version == 0 ? 0 : fields.Bytes[123],
            QFormCode = version == 0 ? 0 : fields.Int16(252),
            SFormCode = version == 0 ? 0 : fields.Int16(254),
            IntentCode = version == 0 ? 0 : fields.Int16(68),
            IntentParameters = version == 0 ? [0, 0, 0] : [fields.Float(56), fields.Float(60), fields.Float(64)],
            IntentName = version == 0 ? "" : fields.Text(328, 16),
            Description = fields.Text(148, 80),
        };
        for (var i = 0; i < MaxDimensions; i++)
        {
            draft.Sizes[i] = fields.Int16(42 + 2 * i);
            draft.Distances[i] = fields.Float(80 + 4 * i);
        }
        draft.FirstDistance = fields.Float(76);
        for (var i = 0; i < 6; i++) draft.Quaternion[i] = fields.Float(256 + 4 * i);
        for (var i = 0; i < 12; i++) draft.Rows[i] = fields.Float(280 + 4 * i);
        return draft.Check(fields, Nifti1Bytes, options);
    }

    private static NiftiHeader ReadNifti2(in Fields fields, NiftiReadOptions options)
    {
        var magic = fields.Bytes.Slice(4, 8);
        var isSingle = magic.SequenceEqual("n+2\0\r\n\x1A\n"u8);
        if (!isSingle && !magic.SequenceEqual("ni2\0\r\n\x1A\n"u8)) throw new InvalidNiftiException("The header is of NIfTI-2's length and lacks its mark.", 4);
        var draft = new Draft
        {
            Version = 2,
            IsPair = !isSingle,
            DataType = fields.Int16(12),
            DimensionCount = fields.Int64(16),
            IntentParameters = [fields.Double(80), fields.Double(88), fields.Double(96)],
            VoxelOffset = fields.Int64(168),
            Slope = fields.Double(176),
            Intercept = fields.Double(184),
            CalMax = fields.Double(192),
            CalMin = fields.Double(200),
            Description = fields.Text(240, 80),
            QFormCode = fields.Int32(344),
            SFormCode = fields.Int32(348),
            Units = fields.Int32(500),
            IntentCode = fields.Int32(504),
            IntentName = fields.Text(508, 16),
        };
        for (var i = 0; i < MaxDimensions; i++)
        {
            draft.Sizes[i] = fields.Int64(24 + 8 * i);
            draft.Distances[i] = fields.Double(112 + 8 * i);
        }
        draft.FirstDistance = fields.Double(104);
        for (var i = 0; i < 6; i++) draft.Quaternion[i] = fields.Double(352 + 8 * i);
        for (var i = 0; i < 12; i++) draft.Rows[i] = fields.Double(400 + 8 * i);
        return draft.Check(fields, MaxHeaderBytes, options);
    }

    /// <summary>What both versions have, not yet believed.</summary>
    private sealed class Draft
    {
        public required int Version { get; init; }
        public required bool IsPair { get; init; }
        public required short DataType { get; init; }
        public required long DimensionCount { get; init; }
        public required double VoxelOffset { get; init; }
        public required double Slope { get; init; }
        public required double Intercept { get; init; }
        public required double CalMax { get; init; }
        public required double CalMin { get; init; }
        public required int Units { get; init; }
        public required int QFormCode { get; init; }
        public required int SFormCode { get; init; }
        public required int IntentCode { get; init; }
        public required ImmutableArray<double> IntentParameters { get; init; }
        public required string IntentName { get; init; }
        public required string Description { get; init; }
        public double FirstDistance { get; set; }
        public long[] Sizes { get; } = new long[MaxDimensions];
        public double[] Distances { get; } = new double[MaxDimensions];
        public double[] Quaternion { get; } = new double[6];
        public double[] Rows { get; } = new double[12];

        public NiftiHeader Check(in Fields fields, int headerBytes, NiftiReadOptions options)
        {
            var dimensionsAt = Version == 2 ? 16 : 40;
            if (DimensionCount is < 1 or > MaxDimensions) throw new InvalidNiftiException($"A volume has 1 to 7 dimensions, this header {DimensionCount}.", dimensionsAt);
            var type = (NiftiDataType)DataType;
            var bits = type.BitsPerVoxel();
            if (bits == 0) throw new InvalidNiftiException($"The data type {DataType} is not known.", Version == 2 ? 12 : 70);

            var count = (int)DimensionCount;
            var voxels = 1L;
            for (var i = 0; i < count; i++)
            {
                if (Sizes[i] < 1) throw new InvalidNiftiException($"Dimension {i + 1} has {Sizes[i]} voxels.", dimensionsAt);
                if (Sizes[i] > long.MaxValue / 256 / voxels) throw new InvalidNiftiException("The sizes' product is beyond any file.", dimensionsAt);
                voxels *= Sizes[i];
            }
            var bytes = (voxels * bits + 7) / 8;
            if (bytes > options.MaxVoxelBytes) throw new InvalidNiftiException($"The header announces {bytes} bytes of voxels, more than the limit of {options.MaxVoxelBytes}.", dimensionsAt);

            // The units' factors to mm. Distances may be negative or absent in the wild: their size counts, 1 stands for none.
            var (spaceUnit, toMm) = (Units & 7) switch { 1 => ("m", 1000.0), 2 => ("mm", 1.0), 3 => ("um", 0.001), _ => ((string?)null, 1.0) };
            var distances = ImmutableArray.CreateBuilder<double>(count);
            for (var i = 0; i < count; i++) distances.Add(double.IsFinite(Distances[i]) ? Math.Abs(Distances[i]) : 0);
            var spacing = new double[3];
            for (var i = 0; i < 3; i++) spacing[i] = i < count && distances[i] > 0 ? distances[i] : 1;

            var (affine, source, space) = Orient(spacing);
            var isScaled = Slope != 0 && double.IsFinite(Slope) && double.IsFinite(Intercept) && !type.IsColour();
            return new NiftiHeader
            {
                Version = Version,
                IsBigEndian = fields.IsBigEndian,
                IsPair = IsPair,
                DataType = type,
                Dimensions = [.. Sizes.AsSpan(0, count)],
                PixelDimensions = distances.MoveToImmutable(),
                SpaceUnit = spaceUnit,
                TimeUnit = (Units & 0x38) switch { 8 => "s", 16 => "ms", 24 => "us", 32 => "Hz", 40 => "ppm", 48 => "rad/s", _ => null },
                SpacingMm = [spacing[0] * toMm, spacing[1] * toMm, spacing[2] * toMm],
                Slope = isScaled ? Slope : 1,
                Intercept = isScaled ? Intercept : 0,
                CalMin = double.IsFinite(CalMin) ? CalMin : 0,
                CalMax = double.IsFinite(CalMax) ? CalMax : 0,
                VoxelOffset = CheckOffset(headerBytes, options),
                Affine = affine.Scale(toMm),
                OrientationSource = source,
                Space = space,
                IntentCode = IntentCode,
                IntentParameters = IntentParameters,
                IntentName = IntentName,
                Description = Description,
            };
        }

        private (NiftiAffine Affine, NiftiOrientationSource Source, NiftiSpace Space) Orient(double[] spacing)
        {
            if (SFormCode > 0)
            {
                var r = Rows;
                var rows = new NiftiAffine(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11]);
                if (rows.IsFinite) return (rows, NiftiOrientationSource.SForm, SpaceOf(SFormCode));
            }
            if (QFormCode > 0)
            {
                var q = Quaternion;
                var turned = NiftiAffine.FromQuaternion(q[0], q[1], q[2], q[3], q[4], q[5], spacing[0], spacing[1], spacing[2], FirstDistance < 0 ? -1 : 1);
                if (turned.IsFinite) return (turned, NiftiOrientationSource.QForm, SpaceOf(QFormCode));
            }
            return (NiftiAffine.FromSizes(Sizes[0], DimensionCount > 1 ? Sizes[1] : 1, DimensionCount > 2 ? Sizes[2] : 1, spacing[0], spacing[1], spacing[2]), NiftiOrientationSource.None, NiftiSpace.Unknown);
        }

        private static NiftiSpace SpaceOf(int code) => code is > 0 and <= 5 ? (NiftiSpace)code : NiftiSpace.Unknown;

        private long CheckOffset(int headerBytes, NiftiReadOptions options)
        {
            var offsetAt = Version == 2 ? 168 : 108;
            // In one file the voxels come after the header and the four bytes that announce extensions; 0 is what careless writers leave.
            var least = IsPair ? 0 : headerBytes + 4;
            if (VoxelOffset == 0) return least;
            if (!double.IsFinite(VoxelOffset) || VoxelOffset != Math.Floor(VoxelOffset)) throw new InvalidNiftiException("The offset of the voxels is no whole number.", offsetAt);
            if (VoxelOffset < least) throw new InvalidNiftiException("The voxels would begin inside the header.", offsetAt);
            if (VoxelOffset > least + options.MaxExtensionBytes) throw new InvalidNiftiException($"There are more than {options.MaxExtensionBytes} bytes between header and voxels.", offsetAt);
            return (long)VoxelOffset;
        }
    }

    private readonly ref struct Fields(ReadOnlySpan<byte> bytes, bool isBigEndian)
    {
        public ReadOnlySpan<byte> Bytes { get; } = bytes;
        public bool IsBigEndian { get; } = isBigEndian;

        public short Int16(int at) => IsBigEndian ? BinaryPrimitives.ReadInt16BigEndian(Bytes[at..]) : BinaryPrimitives.ReadInt16LittleEndian(Bytes[at..]);
        public int Int32(int at) => IsBigEndian ? BinaryPrimitives.ReadInt32BigEndian(Bytes[at..]) : BinaryPrimitives.ReadInt32LittleEndian(Bytes[at..]);
        public long Int64(int at) => IsBigEndian ? BinaryPrimitives.ReadInt64BigEndian(Bytes[at..]) : BinaryPrimitives.ReadInt64LittleEndian(Bytes[at..]);
        public float Float(int at) => IsBigEndian ? BinaryPrimitives.ReadSingleBigEndian(Bytes[at..]) : BinaryPrimitives.ReadSingleLittleEndian(Bytes[at..]);
        public double Double(int at) => IsBigEndian ? BinaryPrimitives.ReadDoubleBigEndian(Bytes[at..]) : BinaryPrimitives.ReadDoubleLittleEndian(Bytes[at..]);

        public string Text(int at, int length)
        {
            var text = Bytes.Slice(at, length);
            var end = text.IndexOf((byte)0);
            return Encoding.Latin1.GetString(end < 0 ? text : text[..end]);
        }
    }
}
