using System.Security.Cryptography;
using ImageApi.Negotiation;
using ImageApi.Problems;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Platform.Imaging;
using Platform.TieredCache;

namespace ImageApi.Pictures;

/// <summary>A file on its way in, bounded, in a file of its own; disposed before it is in place it leaves nothing behind.</summary>
internal sealed class PictureUpload : IDisposable
{
    private const int MaxNameLength = 120;

    // For the boundary and the headers of a multipart body.
    private const int MultipartSlack = 64 << 10;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly long _maxBytes;
    private readonly byte[] _beginning = new byte[16];
    private bool _isInPlace;

    private PictureUpload(FileStream file, long maxBytes) => (File, _maxBytes) = (file, maxBytes);

    public FileStream File { get; }

    public long Length { get; private set; }

    public Digest256 Digest { get; private set; }

    /// <summary>What the file is called where it comes from.</summary>
    public string? Name { get; private set; }

    /// <summary>Reads a request's body: the one file of a form (<c>multipart/form-data</c>), or the file itself. Null with the problem where there is none to take.</summary>
    public static async Task<(PictureUpload? Upload, Problem? Problem)> ReadAsync(HttpContext context, PictureFolder folder, PicturesOptions options)
    {
        var request = context.Request;
        if (request.Headers.ContentEncoding.Count > 0 && request.Headers.ContentEncoding != "identity") return (null, Unsupported("A body with a content coding is not taken."));
        if (request.ContentLength > options.MaxFileBytes + MultipartSlack) return (null, TooLarge(options));
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = options.MaxFileBytes + MultipartSlack;

        var upload = new PictureUpload(folder.CreateArrival(), options.MaxFileBytes);
        Problem? problem;
        try
        {
            problem = MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase)
                ? await upload.ReadFormAsync(request.Body, type, context.RequestAborted)
                : await upload.ReadBodyAsync(request.Body, context.RequestAborted);
            problem ??= upload.Length > options.MaxFileBytes ? TooLarge(options) : upload.Length == 0 ? Problem.BadRequest("The request holds no picture.") : upload.CheckKind();
        }
        catch
        {
            upload.Dispose();
            throw;
        }
        if (problem is null)
        {
            upload.Complete();
            return (upload, null);
        }
        upload.Dispose();
        return (null, problem);
    }

    /// <summary>A file of our own making.</summary>
    public static PictureUpload Of(PictureFolder folder, string name, ReadOnlySpan<byte> bytes)
    {
        var upload = new PictureUpload(folder.CreateArrival(), bytes.Length) { Name = name };
        upload.Append(bytes);
        upload.Complete();
        return upload;
    }

    /// <summary>From now on the file belongs to the folder.</summary>
    public void IsInPlace() => _isInPlace = true;

    public void Dispose()
    {
        _hash.Dispose();
        File.Dispose();
        if (!_isInPlace) System.IO.File.Delete(File.Name);
    }

    private async Task<Problem?> ReadBodyAsync(Stream body, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 << 10];
        for (int read; (read = await body.ReadAsync(buffer, cancellationToken)) > 0 && Append(buffer.AsSpan(0, read));) { }
        return null;
    }

    private async Task<Problem?> ReadFormAsync(Stream body, MediaTypeHeaderValue type, CancellationToken cancellationToken)
    {
        if (!type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)) return Unsupported("A form is taken as multipart/form-data.");
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (boundary is null || !MultipartReader.IsBoundary(boundary)) return Problem.BadRequest("The multipart body's boundary is missing or none that RFC 2046 allows.");
        try
        {
            using var reader = new MultipartReader(body, boundary);
            var isRead = false;
            while (await reader.MoveToNextPartAsync(cancellationToken))
            {
                if (!ContentDispositionHeaderValue.TryParse(reader.ContentDisposition, out var disposition) || !(disposition.IsFileDisposition() || HeaderUtilities.RemoveQuotes(disposition.Name).Equals("file", StringComparison.Ordinal)))
                    continue;
                if (isRead) return Problem.BadRequest("One picture at a time: the form holds several files.");
                isRead = true;
                Name = NameOf(disposition);
                while (await reader.ReadBodyAsync(cancellationToken) is { Length: > 0 } bytes)
                {
                    if (!Append(bytes.Span)) return null;
                }
            }
            return null;
        }
        catch (MultipartException exception)
        {
            return Problem.BadRequest(exception.Message);
        }
    }

    /// <summary>False when it has become too long.</summary>
    private bool Append(ReadOnlySpan<byte> bytes)
    {
        if (Length < _beginning.Length) bytes[..(int)Math.Min(bytes.Length, _beginning.Length - Length)].CopyTo(_beginning.AsSpan((int)Length));
        if (Length + bytes.Length <= _maxBytes)
        {
            RandomAccess.Write(File.SafeFileHandle, bytes, PictureFolder.HeaderBytes + Length);
            _hash.AppendData(bytes);
        }
        Length += bytes.Length;
        return Length <= _maxBytes;
    }

    private void Complete()
    {
        Span<byte> digest = stackalloc byte[Digest256.Size];
        _hash.GetHashAndReset(digest);
        Digest = new Digest256(digest);
    }

    // What it is says its beginning, not what the request calls it.
    private Problem? CheckKind()
    {
        if (PictureFile.KindOf(_beginning.AsSpan(0, (int)Math.Min(Length, _beginning.Length))) is not null) return null;
        var isWebp = _beginning.AsSpan().StartsWith("RIFF"u8) && _beginning.AsSpan(8).StartsWith("WEBP"u8);
        return Unsupported(isWebp ? "WebP is written here, not read: send JPEG, PNG or GIF." : "Pictures are taken as JPEG, PNG or GIF.");
    }

    // The last part of a path, without what no name should hold.
    private static string? NameOf(ContentDispositionHeaderValue disposition)
    {
        var name = (disposition.FileNameStar.HasValue ? disposition.FileNameStar.Value : FromLatin1(HeaderUtilities.RemoveQuotes(disposition.FileName).Value)) ?? "";
        name = name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
        name = string.Concat(name.EnumerateRunes().Where(static rune => !System.Text.Rune.IsControl(rune) && rune.Value != 0xFFFD)).Trim();
        if (name.Length > MaxNameLength) name = name[..(char.IsHighSurrogate(name[MaxNameLength - 1]) ? MaxNameLength - 1 : MaxNameLength)];
        return name.Length == 0 ? null : name;
    }

    // Browsers send names as UTF-8 (HTML: multipart/form-data); the reader gives each byte as a character.
    private static string? FromLatin1(string? text) => text is null ? null : System.Text.Encoding.UTF8.GetString(System.Text.Encoding.Latin1.GetBytes(text));

    private static Problem Unsupported(string detail) => new(ProblemTypes.UnsupportedMediaType, "Unsupported media type", StatusCodes.Status415UnsupportedMediaType, detail);

    private static Problem TooLarge(PicturesOptions options) =>
        new(ProblemTypes.PayloadTooLarge, "Payload too large", StatusCodes.Status413PayloadTooLarge, $"A picture's file may have {options.MaxFileBytes} bytes.");
}
