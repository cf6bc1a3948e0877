using System.Buffers;
using InferenceApi.Problems;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Platform.Imaging;
using Platform.TieredCache;

namespace InferenceApi.Images;

/// <summary>A request about a picture is not understood.</summary>
internal sealed class InvalidPictureRequestException(string message, int status = StatusCodes.Status400BadRequest) : Exception(message)
{
    public int Status => status;
}

/// <summary>A picture and what is to be done with it.</summary>
/// <param name="Picture">The caller disposes it.</param>
/// <param name="Fields">Of the form.</param>
/// <param name="Query">Of the address; the form's fields go before.</param>
internal sealed record PictureRequest(PictureSource Picture, IFormCollection? Fields, IQueryCollection Query)
{
    public string? Model => this["model"];

    public string? this[string name] => Fields is not null && Fields.TryGetValue(name, out var field) && !StringValues.IsNullOrEmpty(field) ? field[0]
        : Query.TryGetValue(name, out var value) && !StringValues.IsNullOrEmpty(value) ? value[0] : null;
}

/// <summary>Reads requests about pictures: a multipart form with <c>file</c>, the file itself as the body, or a reference to a frame of ImageApi.</summary>
internal sealed class PictureRequests(ImageApiClient images, ITieredCache cache, IOptions<ImagesOptions> options)
{
    /// <summary>The rest of a form beside the file.</summary>
    private const long FormOverhead = 64 << 10;

    /// <exception cref="InvalidPictureRequestException">There is no picture in it, or it is not one that is read.</exception>
    public async Task<PictureRequest> ReadAsync(HttpContext context)
    {
        var request = context.Request;
        var limits = options.Value;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = limits.MaxFileBytes + FormOverhead;
        IFormCollection? fields = null;
        ReadOnlyMemory<byte>? file = null;
        if (request.HasFormContentType)
        {
            fields = await ReadFormAsync(request, limits.MaxFileBytes, context.RequestAborted);
            if (fields.Files.GetFile("file") is { } sent)
            {
                await using var stream = sent.OpenReadStream();
                var bytes = new byte[sent.Length];
                await stream.ReadExactlyAsync(bytes, context.RequestAborted);
                file = bytes;
            }
        }
        else if (request.ContentType?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) == true)
        {
            file = await ReadBodyAsync(request, limits.MaxFileBytes, context.RequestAborted);
        }
        else if (request.ContentType is { Length: > 0 })
        {
            throw new InvalidPictureRequestException("Send a multipart form with a picture in the field 'file', a picture as the body, or a reference in the address.", StatusCodes.Status415UnsupportedMediaType);
        }

        var read = new PictureRequest(null!, fields, request.Query);
        if (file is { } picture)
        {
            if (PictureFile.KindOf(picture.Span) is null) throw new InvalidPictureRequestException("The file is no JPEG, PNG or GIF.", StatusCodes.Status415UnsupportedMediaType);
            return read with { Picture = new UploadedPicture(picture, cache, limits.MaxPixels) };
        }

        if (read["instance"] is null) throw new InvalidPictureRequestException("There is no picture: send a file in the field 'file', or name study, series and instance.");
        var reference = FrameReference.Read(read["study"], read["series"], read["instance"], read["frame"], out var error);
        return reference is null ? throw new InvalidPictureRequestException(error) : read with { Picture = new HeldFrame(reference, images, limits.MaxPixels) };
    }

    private static async Task<IFormCollection> ReadFormAsync(HttpRequest request, long maxFileBytes, CancellationToken cancellationToken)
    {
        try
        {
            return await request.ReadFormAsync(new FormOptions { MultipartBodyLengthLimit = maxFileBytes, ValueCountLimit = 32, KeyLengthLimit = 64, ValueLengthLimit = 1024, MemoryBufferThreshold = 1 << 20 }, cancellationToken);
        }
        catch (InvalidDataException)
        {
            throw new InvalidPictureRequestException("The form is broken or holds too much.");
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpRequest request, long maxFileBytes, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        var buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            int read;
            while ((read = await request.Body.ReadAsync(buffer, cancellationToken)) > 0)
            {
                if (bytes.Length + read > maxFileBytes) throw new InvalidPictureRequestException("The picture is larger than this server takes.", StatusCodes.Status413PayloadTooLarge);
                bytes.Write(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return bytes.ToArray();
    }
}
