using System.Buffers;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using ImageApi.Catalog;
using ImageApi.Negotiation;
using ImageApi.Origins.Outbound;
using Platform.TieredCache;

namespace ImageApi.Origins.Dicomweb;

/// <summary>
/// The one thing that was asked for, as it arrives: the body of a single-part answer, or the first part of a multipart one. One owner, who disposes it.
/// </summary>
internal sealed partial class DicomwebPart : IAsyncDisposable
{
    private const int BufferBytes = 64 << 10;

    /// <summary>Enough to see what it is, and few enough system calls.</summary>
    private const int LeastBytes = 4 << 10;

    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly MultipartReader? _parts;
    private byte[]? _buffer;

    private DicomwebPart(HttpResponseMessage response, Stream body, MultipartReader? parts) => (_response, _body, _parts) = (response, body, parts);

    /// <summary>Without parameters, lower case; empty where the origin says none.</summary>
    public string MediaType { get; private init; } = "";

    /// <summary>As the origin says; where it says none, what the media type stands for by default (PS3.18 table 8.7.3-5); null where that is unknown.</summary>
    public string? TransferSyntaxUid { get; private init; }

    /// <summary>Bytes, where the origin says so.</summary>
    public long? Length { get; private init; }

    /// <summary>Where the origin says that it lies; empty where it does not.</summary>
    public string Location { get; private init; } = "";

    /// <summary>Opens what an answer holds. Owns the answer from now on.</summary>
    /// <exception cref="OriginException">The answer broke off, or is not what its Content-Type says.</exception>
    public static async Task<DicomwebPart> OpenAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        MultipartReader? parts = null;
        Stream? body = null;
        try
        {
            body = await response.Content.ReadAsStreamAsync(cancellationToken);
            var type = response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var lines) ? lines.ToString() : "";
            if (!type.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
            {
                return new DicomwebPart(response, body, null)
                {
                    MediaType = MediaTypeOf(type),
                    TransferSyntaxUid = SyntaxOf(type, ""),
                    Length = response.Content.Headers.ContentLength,
                    Location = response.Content.Headers.ContentLocation?.ToString() ?? "",
                };
            }

            var boundary = MediaTypeHeaderValue.TryParse(type, out var parsed) ? parsed.Parameters.FirstOrDefault(parameter => parameter.Name.Equals("boundary", StringComparison.OrdinalIgnoreCase))?.Value?.Trim('"') : null;
            parts = new MultipartReader(body, boundary ?? "");
            if (!await parts.MoveToNextPartAsync(cancellationToken)) throw new OriginException(OriginFailure.Broken, "The origin's answer has no part.");
            return new DicomwebPart(response, body, parts)
            {
                MediaType = MediaTypeOf(parts.ContentType),
                TransferSyntaxUid = SyntaxOf(parts.ContentType, type),
                Length = parts.ContentLength,
                Location = parts.ContentLocation,
            };
        }
        catch (Exception exception)
        {
            parts?.Dispose();
            body?.Dispose();
            response.Dispose();
            if (cancellationToken.IsCancellationRequested) throw;
            throw From(exception);
        }
    }

    /// <summary>The next bytes, valid until the next call; empty at the end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_parts is not null) return await _parts.ReadBodyAsync(cancellationToken);
            _buffer ??= ArrayPool<byte>.Shared.Rent(BufferBytes);
            return _buffer.AsMemory(0, await _body.ReadAtLeastAsync(_buffer, LeastBytes, throwOnEndOfStream: false, cancellationToken));
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw From(exception);
        }
    }

    /// <summary>
    /// Copies what is left into <paramref name="to"/>, after <paramref name="first"/>, which was read already. What is longer or shorter than
    /// <paramref name="expected"/> is refused, and so is a multipart answer that goes on or breaks off.
    /// </summary>
    /// <param name="to">Started.</param>
    /// <param name="first">Bytes from <see cref="ReadAsync"/>.</param>
    /// <param name="expected">The exact number of bytes; null: whatever comes, up to <paramref name="most"/>. One byte of padding after an odd number is passed over.</param>
    /// <param name="most">The most bytes.</param>
    /// <param name="cancellationToken">Ends the copy.</param>
    /// <exception cref="OriginException">Broken, or the origin broke off.</exception>
    public async Task CopyToAsync(EntryWriter to, ReadOnlyMemory<byte> first, long? expected, long most, CancellationToken cancellationToken)
    {
        long copied = 0;
        for (var bytes = first; !bytes.IsEmpty; bytes = await ReadAsync(cancellationToken))
        {
            var isPadded = expected is { } exact && (exact & 1) == 1 && copied + bytes.Length == exact + 1;
            var count = isPadded ? bytes.Length - 1 : bytes.Length;
            copied += bytes.Length;
            if (copied > (expected ?? most) && !isPadded) throw new OriginException(OriginFailure.Broken, "The origin sent more than was asked for.");
            to.Write(bytes.Span[..count]);
            await to.FlushAsync(cancellationToken);
        }
        if (to.WrittenBytes != (expected ?? to.WrittenBytes)) throw new OriginException(OriginFailure.Broken, "The origin sent less than was asked for.");
        await EndAsync(cancellationToken);
    }

    /// <summary>Makes sure that nothing follows what was read.</summary>
    public async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        if (_parts is null) return;
        try
        {
            if (await _parts.MoveToNextPartAsync(cancellationToken)) throw new OriginException(OriginFailure.Broken, "The origin sent more than was asked for.");
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw From(exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _parts?.Dispose();
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer) ArrayPool<byte>.Shared.Return(buffer);
        await _body.DisposeAsync();
        _response.Dispose();
    }

    private static OriginException From(Exception exception) => exception is MultipartException
        ? new OriginException(OriginFailure.Broken, "The origin's multipart answer breaks the rules, or ends early.", exception)
        : OriginFailures.From(exception);

    private static string MediaTypeOf(string contentType) => contentType.Split(';')[0].Trim().ToLowerInvariant();

    private static string? SyntaxOf(string contentType, string outer)
    {
        var match = SyntaxPattern().Match(contentType);
        if (!match.Success) match = SyntaxPattern().Match(outer);
        if (match.Success && Uids.IsValid(match.Groups[1].Value)) return match.Groups[1].Value;
        return MediaTypeOf(contentType) switch
        {
            "application/octet-stream" => TransferSyntaxMediaTypes.ExplicitVrLittleEndian,
            "image/jpeg" => "1.2.840.10008.1.2.4.70",
            "image/dicom-rle" => "1.2.840.10008.1.2.5",
            "image/jls" => "1.2.840.10008.1.2.4.80",
            "image/jp2" => "1.2.840.10008.1.2.4.90",
            "image/jpx" => "1.2.840.10008.1.2.4.92",
            "image/jphc" => "1.2.840.10008.1.2.4.201",
            _ => null,
        };
    }

    // As a parameter, or within a quoted type as Orthanc writes it.
    [GeneratedRegex("transfer-syntax\\s*=\\s*\"?([0-9.]{1,64})", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SyntaxPattern();
}
