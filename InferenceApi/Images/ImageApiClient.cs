using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using Platform.Codecs;
using Platform.Dicom;
using Platform.Dicom.Json;
using Platform.Imaging;
using Platform.TieredCache;

namespace InferenceApi.Images;

/// <summary>ImageApi could not give what was asked of it.</summary>
internal sealed class ImageApiException(HttpStatusCode? status, string message) : Exception(message)
{
    /// <summary>What it answered; null where it could not be reached.</summary>
    public HttpStatusCode? Status => status;
}

/// <summary>What identifies a frame and its place: enough to know a result by, without its pixels.</summary>
/// <param name="PixelDigest">Of its pixels, whatever they are stored as.</param>
/// <param name="Presentation">How its data set wants it read.</param>
/// <param name="PixelSpacing">Between rows and between columns, mm; null where the image has none.</param>
/// <param name="Geometry">Rescale, spacing, orientation and position as numbers, in that order; NaN for what is missing.</param>
internal sealed record FrameFacts(Digest256 PixelDigest, FramePresentation Presentation, double[]? PixelSpacing, double[] Geometry);

/// <summary>Decoded pixels of a frame, from the shared pool: disposed once by who asked.</summary>
internal sealed class FramePixels(byte[] rented, int length) : IDisposable
{
    private byte[]? _rented = rented;

    public ReadOnlySpan<byte> Pixels => _rented is null ? throw new ObjectDisposedException(nameof(FramePixels)) : _rented.AsSpan(0, length);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _rented, null) is { } bytes) ArrayPool<byte>.Shared.Return(bytes);
    }
}

/// <summary>
/// Asks ImageApi. Facts of a frame are kept by its validator: one HEAD request says whether they still hold, and which result there may be,
/// without a pixel on the way.
/// </summary>
internal sealed class ImageApiClient(IHttpClientFactory clients)
{
    private const int MaxFacts = 4096, MaxFrameBytes = 256 << 20, MaxDocumentBytes = 16 << 20;
    private const string Raw = "application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1", DigestHeader = "Platform-Pixel-Digest";

    private readonly ConcurrentDictionary<string, FrameFacts> _facts = new(StringComparer.Ordinal);

    /// <summary>What is to be known of a frame, as it is now.</summary>
    /// <exception cref="ImageApiException">ImageApi has no such frame, cannot decode it, or is not there.</exception>
    public async Task<FrameFacts> DescribeAsync(FrameReference frame, CancellationToken cancellationToken)
    {
        using var head = await SendAsync(HttpMethod.Head, frame.Path, Raw, cancellationToken);
        var tag = head.Headers.ETag?.Tag;
        if (tag is not null && _facts.TryGetValue(tag, out var known)) return known;
        var digest = head.Headers.TryGetValues(DigestHeader, out var values) && Digest256.TryParse(values.First(), out var parsed)
            ? parsed
            : throw new ImageApiException(head.StatusCode, "The image service gave no pixel digest.");

        using var answer = await SendAsync(HttpMethod.Get, frame.MetadataPath, "application/dicom+json", cancellationToken);
        if (DicomJsonReader.ReadArray(await ReadDocumentAsync(answer, cancellationToken)) is not [var dataset, ..]) throw new ImageApiException(answer.StatusCode, "The image service gave no metadata.");
        var facts = Describe(dataset, frame.Frame - 1, digest);
        if (tag is not null)
        {
            if (_facts.Count >= MaxFacts) _facts.Clear();   // small, and quickly learnt again
            _facts[tag] = facts;
        }

        return facts;
    }

    /// <summary>The frame's pixels, decoded: little endian, interleaved. The caller disposes them.</summary>
    /// <exception cref="ImageApiException">ImageApi cannot give them.</exception>
    public Task<FramePixels> ReadPixelsAsync(FrameReference frame, in FrameDescription description, CancellationToken cancellationToken) =>
        ReadPixelsAsync(frame, description.ByteLength, cancellationToken);

    /// <summary>The frame as people see it, with its window: grey or colour. The caller disposes it.</summary>
    /// <exception cref="ImageApiException">ImageApi cannot give it.</exception>
    public async Task<Picture> ReadPictureAsync(FrameReference frame, long maxPixels, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(HttpMethod.Get, frame.Path + "/rendered", "image/png", cancellationToken);
        return PictureFile.Decode(await ReadDocumentAsync(answer, cancellationToken), maxPixels, cancellationToken);
    }

    private async Task<FramePixels> ReadPixelsAsync(FrameReference frame, long length, CancellationToken cancellationToken)
    {
        if (length > MaxFrameBytes) throw new ImageApiException(HttpStatusCode.RequestEntityTooLarge, $"The frame has {length} bytes of pixels, more than the {MaxFrameBytes} that are taken.");
        using var answer = await SendAsync(HttpMethod.Get, frame.Path, Raw, cancellationToken);
        var rented = ArrayPool<byte>.Shared.Rent((int)length);
        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
            await body.ReadExactlyAsync(rented.AsMemory(0, (int)length), cancellationToken);
            return new FramePixels(rented, (int)length);
        }
        catch (Exception exception)
        {
            ArrayPool<byte>.Shared.Return(rented);
            if (exception is not (EndOfStreamException or HttpRequestException)) throw;
            throw new ImageApiException(answer.StatusCode, "The image service gave fewer pixels than the frame has.");
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string accept, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        HttpResponseMessage response;
        try
        {
            response = await clients.CreateClient(nameof(ImageApiClient)).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (Exception exception) when (exception is HttpRequestException || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ImageApiException(null, "The image service cannot be reached.");
        }

        if (response.IsSuccessStatusCode) return response;
        using (response)
        {
            throw new ImageApiException(response.StatusCode, response.StatusCode switch
            {
                HttpStatusCode.NotFound => "The image service has no such frame.",
                HttpStatusCode.UnprocessableEntity => "The image service cannot decode this frame.",
                HttpStatusCode.NotAcceptable => "Frames of this kind are not decoded.",
                _ => $"The image service answered {(int)response.StatusCode}.",
            });
        }
    }

    private static async Task<byte[]> ReadDocumentAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (answer.Content.Headers.ContentLength > MaxDocumentBytes) throw new ImageApiException(answer.StatusCode, "The image service's answer is too large.");
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        using var bytes = new MemoryStream();
        var buffer = new byte[32 << 10];
        int read;
        while ((read = await body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (bytes.Length + read > MaxDocumentBytes) throw new ImageApiException(answer.StatusCode, "The image service's answer is too large.");
            bytes.Write(buffer, 0, read);
        }

        return bytes.ToArray();
    }

    private static FrameFacts Describe(DicomDataset dataset, int frameIndex, Digest256 digest)
    {
        var presentation = FramePresentation.Read(dataset, frameIndex);
        double[] spacing = [.. Of(dataset, frameIndex, DicomTags.PixelMeasuresSequence, DicomTags.PixelSpacing)];
        if (spacing.Length != 2) spacing = dataset.GetDoubles(DicomTags.ImagerPixelSpacing);
        var hasSpacing = spacing.Length == 2 && spacing.All(static distance => double.IsFinite(distance) && distance > 0);
        double[] geometry =
        [
            presentation.Mapping.Slope, presentation.Mapping.Intercept,
            .. Fixed(spacing, 2), .. Fixed(Of(dataset, frameIndex, DicomTags.PlaneOrientationSequence, DicomTags.ImageOrientationPatient), 6),
            .. Fixed(Of(dataset, frameIndex, DicomTags.PlanePositionSequence, DicomTags.ImagePositionPatient), 3),
        ];
        return new FrameFacts(digest, presentation, hasSpacing ? spacing : null, geometry);
    }

    /// <summary>A frame's own value, else the shared one, else the data set's (PS3.3 C.7.6.16).</summary>
    private static double[] Of(DicomDataset dataset, int frameIndex, DicomTag group, DicomTag tag)
    {
        var frames = dataset.GetItems(DicomTags.PerFrameFunctionalGroupsSequence);
        var own = frameIndex < frames.Count ? frames[frameIndex].GetItem(group)?.GetDoubles(tag) : null;
        if (own is { Length: > 0 }) return own;
        var shared = dataset.GetItem(DicomTags.SharedFunctionalGroupsSequence)?.GetItem(group)?.GetDoubles(tag);
        return shared is { Length: > 0 } ? shared : dataset.GetDoubles(tag);
    }

    private static IEnumerable<double> Fixed(double[] values, int count) => values.Length == count ? values : Enumerable.Repeat(double.NaN, count);
}
