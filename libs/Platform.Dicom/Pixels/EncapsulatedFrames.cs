using System.Buffers.Binary;

namespace Platform.Dicom.Pixels;

/// <summary>How encapsulated frames can be found without reading all of them (PS3.5 A.4).</summary>
public enum OffsetTable
{
    /// <summary>None: frames are found by walking over the fragments.</summary>
    None,

    /// <summary>The basic offset table, 32-bit offsets in the first item.</summary>
    Basic,

    /// <summary>The extended offset table, 64-bit offsets and lengths in (7FE0,0001) and (7FE0,0002); one fragment a frame.</summary>
    Extended,
}

/// <summary>Puts compressed frames into a data set.</summary>
public static class EncapsulatedFrames
{
    extension(DicomDataset dataset)
    {
        /// <summary>
        /// Sets Pixel Data to compressed frames, one fragment each. The memory is kept, not copied. Throws <see cref="ArgumentException"/>
        /// when the frames do not fit into a basic offset table.
        /// </summary>
        public DicomDataset SetFrames(IReadOnlyList<ReadOnlyMemory<byte>> frames, OffsetTable table = OffsetTable.Basic)
        {
            var basic = table == OffsetTable.Basic ? new byte[4 * frames.Count] : [];
            var offsets = table == OffsetTable.Extended ? new byte[8 * frames.Count] : [];
            var lengths = new byte[offsets.Length];
            long offset = 0;
            for (var i = 0; i < frames.Count; i++)
            {
                if (table == OffsetTable.Basic)
                {
                    if (offset > uint.MaxValue) throw new ArgumentException("The frames need an extended offset table.", nameof(table));
                    BinaryPrimitives.WriteUInt32LittleEndian(basic.AsSpan(4 * i), (uint)offset);
                }
                else if (table == OffsetTable.Extended)
                {
                    BinaryPrimitives.WriteInt64LittleEndian(offsets.AsSpan(8 * i), offset);
                    BinaryPrimitives.WriteInt64LittleEndian(lengths.AsSpan(8 * i), frames[i].Length);
                }
                offset += 8 + frames[i].Length + (frames[i].Length & 1);
            }
            dataset.Remove(DicomTags.ExtendedOffsetTable);
            dataset.Remove(DicomTags.ExtendedOffsetTableLengths);
            if (table == OffsetTable.Extended)
            {
                dataset.Set(DicomTags.ExtendedOffsetTable, DicomVr.OV, offsets);
                dataset.Set(DicomTags.ExtendedOffsetTableLengths, DicomVr.OV, lengths);
            }
            return dataset.SetFragments(DicomTags.PixelData, [basic, .. frames]);
        }
    }
}
