namespace Platform.Codecs;

/// <summary>Checks that every decoder makes before it allocates.</summary>
internal static class FrameLimits
{
    /// <summary>The frame's length in bytes.</summary>
    /// <exception cref="InvalidFrameException">The description is none, the frame exceeds the bound, or the codec cannot reduce.</exception>
    public static int Check(in FrameDescription expected, in DecodeOptions options)
    {
        expected.Validate();
        if (options.ReduceLevels != 0) throw new InvalidFrameException("This format cannot be decoded at a lower resolution.");
        return CheckLength(expected.ByteLength, options);
    }

    public static int CheckLength(long bytes, in DecodeOptions options)
    {
        if (bytes > options.MaxFrameBytes || bytes > Array.MaxLength) throw new InvalidFrameException($"The frame has {bytes} bytes, more than the limit of {options.MaxFrameBytes}.");
        return (int)bytes;
    }
}
