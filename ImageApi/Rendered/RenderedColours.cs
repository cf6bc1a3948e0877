using System.Buffers;
using Platform.Codecs;
using Platform.Dicom;
using Platform.Imaging;

namespace ImageApi.Rendered;

/// <summary>Pictures with a colour profile (PS3.18 8.3.5.1.5): always of three channels, because the profiles are.</summary>
internal static class RenderedColours
{
    private const int MaxProfileBytes = 4 << 20;

    /// <summary>The data set's ICC Profile (0028,2000), of the image or of its first optical path; null where it has none of red, green and blue.</summary>
    public static byte[]? ReadProfile(DicomDataset dataset)
    {
        foreach (var holder in new[] { dataset, dataset.GetItem(DicomTags.OpticalPathSequence) })
        {
            if (holder is null || !holder.TryGetElement(DicomTags.ICCProfile, out var element) || element.IsDeferred) continue;
            var profile = element.Span;
            if (profile.Length is >= 132 and <= MaxProfileBytes && profile.Slice(36, 4).SequenceEqual("acsp"u8) && profile.Slice(16, 4).SequenceEqual("RGB "u8)) return profile.ToArray();
        }
        return null;
    }

    /// <summary>The picture in three channels, its colours turned into sRGB where that is asked for. The caller disposes both.</summary>
    /// <exception cref="InvalidFrameException">The profile is of a kind that cannot be computed with.</exception>
    public static Picture Prepare(Picture picture, byte[]? profile, ProfileWish wish)
    {
        var coloured = new Picture(picture.Width, picture.Height, 3);
        if (picture.Channels == 3)
        {
            picture.Pixels.CopyTo(coloured.Pixels);
            if (wish != ProfileWish.Srgb || profile is null) return coloured;
            if (IccProfile.TryRead(profile) is { } known)
            {
                known.ToSrgb(coloured.Pixels, new PictureInfo(picture.Width, picture.Height, 3, 8));
                return coloured;
            }
            coloured.Dispose();
            throw new InvalidFrameException("The image's colour profile is of a kind that cannot be turned into sRGB; iccprofile=yes gives it with the picture.");
        }
        for (int from = 0, to = 0; from < picture.Pixels.Length; from++, to += 3) coloured.Pixels.Slice(to, 3).Fill(picture.Pixels[from]);
        return coloured;
    }

    /// <summary>Writes a prepared picture with its profile.</summary>
    public static void Write(Picture picture, bool wasColour, byte[]? profile, RenderedForm form, int effort, IBufferWriter<byte> to, CancellationToken cancellationToken)
    {
        var file = new ArrayBufferWriter<byte>(64 << 10);
        PictureWriter.Write(picture, form.Format, form.Quality, effort, file, cancellationToken);
        var embedded = form.Profile == ProfileWish.Stored && wasColour && profile is not null ? profile.AsMemory() : PictureProfile.Srgb;
        PictureProfile.Write(file.WrittenSpan, embedded.Span, picture.Width, picture.Height, to);
    }
}
