using System.Buffers;
using System.Security.Cryptography;
using ImageApi.Origins;
using ImageApi.Rendered;
using Microsoft.Extensions.Options;
using Microsoft.Win32.SafeHandles;
using Platform.Codecs;
using Platform.Codecs.WebP;
using Platform.Imaging;
using Platform.TieredCache;

namespace ImageApi.Pictures;

/// <summary>Pictures and what is made of them: sizes and formats are values of the tiered cache, made once for each version.</summary>
internal sealed class PictureService(PictureFolder folder, ITieredCache cache, IOptions<PicturesOptions> options, TimeProvider time) : IDisposable
{
    private static readonly PictureForm PlaceholderForm = new(PictureSize.Placeholder, WebpEncoder.IsAvailable ? PictureFormat.Webp : PictureFormat.Jpeg);

    private readonly SemaphoreSlim _slots = new(options.Value.Concurrency);

    /// <summary>A representation. The caller disposes the lease.</summary>
    /// <exception cref="OriginException">The picture was replaced or removed meanwhile, or its file is damaged.</exception>
    public ValueTask<CacheLease> GetAsync(PictureEntry entry, PictureForm form, CancellationToken cancellationToken) =>
        cache.GetOrCreateAsync(form.KeyOf(entry), (Service: this, Entry: entry, Form: form), form.Policy,
            static (wish, to, token) => wish.Service.MakeAsync(wish.Entry, wish.Form, to, token), cancellationToken);

    /// <summary>Stores what has been uploaded: as a new picture, or in the place of one.</summary>
    /// <param name="upload">Complete.</param>
    /// <param name="replaced">The picture to replace; null for a new one.</param>
    /// <param name="condition">What the picture that is there has to be.</param>
    /// <param name="cancellationToken">Ends the work before anything is stored.</param>
    /// <exception cref="InvalidFrameException">The file is broken or has too many pixels.</exception>
    public async Task<(PictureChange Change, PictureEntry? Entry)> StoreAsync(PictureUpload upload, string? replaced, Func<PictureEntry, bool> condition, CancellationToken cancellationToken)
    {
        var (info, placeholder) = await InspectAsync(upload, cancellationToken);
        var now = time.GetUtcNow();
        var entry = new PictureEntry
        {
            Id = replaced ?? PictureFolder.NewId(),
            Digest = upload.Digest.ToString(),
            MediaType = info.Kind switch { PictureFileKind.Jpeg => "image/jpeg", PictureFileKind.Png => "image/png", _ => "image/gif" },
            Bytes = upload.Length,
            Width = info.Width,
            Height = info.Height,
            Name = upload.Name,
            CreatedAt = now,
            ChangedAt = now,
            Placeholder = placeholder,
        };
        var (change, stored) = await folder.PlaceAsync(upload.File, entry, replaced is not null, condition, cancellationToken);
        if (change != PictureChange.Done) return (change, null);
        upload.IsInPlace();
        if (replaced is not null) await cache.InvalidateAsync(stored!.Tag, CancellationToken.None);   // the change has happened: others have to hear of it
        return (change, stored);
    }

    /// <summary>Removes a picture, and what was made of it on every node.</summary>
    public async Task<PictureChange> RemoveAsync(string id, Func<PictureEntry, bool> condition, CancellationToken cancellationToken)
    {
        var change = await folder.RemoveAsync(id, condition, cancellationToken);
        if (change == PictureChange.Done) await cache.InvalidateAsync(PictureEntry.TagOf(id), CancellationToken.None);
        return change;
    }

    public void Dispose() => _slots.Dispose();

    /// <summary>Decodes an upload, so that nothing is stored that cannot be shown, and makes its placeholder.</summary>
    private async Task<(PictureFileInfo Info, string Placeholder)> InspectAsync(PictureUpload upload, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken);
        try
        {
            using var file = ReadAll(upload.File.SafeFileHandle, (int)upload.Length);
            var info = PictureFile.ReadInfo(file.Memory.Span[..(int)upload.Length]);
            using var picture = PictureFile.Decode(file.Memory[..(int)upload.Length], options.Value.MaxPixels, cancellationToken);
            var to = new ArrayBufferWriter<byte>(1024);
            Write(picture, PlaceholderForm, to, cancellationToken);
            return (info, $"data:{PlaceholderForm.ContentType};base64,{Convert.ToBase64String(to.WrittenSpan)}");
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task MakeAsync(PictureEntry entry, PictureForm form, EntryWriter to, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken);
        try
        {
            using var handle = folder.Open(entry.Id, out var current);
            if (current.Content != entry.Content) throw new OriginException(OriginFailure.Changed, "The picture was replaced meanwhile.");
            using var file = ReadAll(handle, (int)entry.Bytes);
            var bytes = file.Memory[..(int)entry.Bytes];
            if (Convert.ToHexStringLower(SHA256.HashData(bytes.Span)) != entry.Digest) throw new OriginException(OriginFailure.Broken, "The picture's file is damaged.");
            using var picture = PictureFile.Decode(bytes, options.Value.MaxPixels, cancellationToken);
            to.Start(new EntryHeader(form.ContentType) { Tags = [entry.Tag] });
            Write(picture, form, to, cancellationToken);
        }
        finally
        {
            _slots.Release();
        }
    }

    private static void Write(Picture picture, PictureForm form, IBufferWriter<byte> to, CancellationToken cancellationToken)
    {
        var (width, height) = form.SizeOf(picture.Width, picture.Height);
        using var fitted = (width, height) == (picture.Width, picture.Height) ? null
            : FrameRenderer.Fit(picture, new PixelRegion(0, 0, picture.Width, picture.Height), width, height, isFlippedAcross: false, isFlippedDown: false, cancellationToken);
        PictureWriter.Write(fitted ?? picture, form.Format, form.Quality, form.Effort, to, cancellationToken);
    }

    private static IMemoryOwner<byte> ReadAll(SafeFileHandle file, int length)
    {
        var owner = MemoryPool<byte>.Shared.Rent(length);
        try
        {
            for (var done = 0; done < length;)
            {
                var read = RandomAccess.Read(file, owner.Memory.Span[done..length], PictureFolder.HeaderBytes + done);
                if (read == 0) throw new OriginException(OriginFailure.Broken, "The picture's file is cut off.");
                done += read;
            }
            return owner;
        }
        catch
        {
            owner.Dispose();
            throw;
        }
    }
}
