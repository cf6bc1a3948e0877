namespace PerfTests.Inference;

/// <summary>A model with next to nothing to do, written field by field as protobuf has it.</summary>
internal static class TinyModel
{
    /// <summary>y = x + x over [N] float32.</summary>
    public static byte[] AddToItself()
    {
        byte[] dimension = [.. Field(1, Field(2, "N"u8))];
        byte[] type = [.. Field(1, [8, 1, .. Field(2, dimension)])];
        byte[] node = [.. Field(1, "x"u8), .. Field(1, "x"u8), .. Field(2, "y"u8), .. Field(4, "Add"u8)];
        byte[] graph = [.. Field(1, node), .. Field(2, "g"u8), .. Field(11, [.. Field(1, "x"u8), .. Field(2, type)]), .. Field(12, [.. Field(1, "y"u8), .. Field(2, type)])];
        return [8, 7, .. Field(7, graph), .. Field(8, [16, 13])];
    }

    // Everything here is shorter than 128 bytes: lengths are one byte.
    private static byte[] Field(int number, ReadOnlySpan<byte> value) => [(byte)(number << 3 | 2), (byte)value.Length, .. value];
}
