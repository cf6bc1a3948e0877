using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Platform.Codecs.WebP;

/// <summary>
/// Encodes 8-bit grey, RGB or RGBA as WebP (RFC 9649) by the system's libwebp: for pictures to look at. Only pixels of ours go in, never a
/// stream from outside. Where the library is missing <see cref="IsAvailable"/> is false and pictures are offered as JPEG. Safe for
/// concurrent use.
/// </summary>
public static unsafe class WebpEncoder
{
    /// <summary>The most rows or columns that WebP holds.</summary>
    public const int MaxSide = 16383;

    private static readonly Lazy<bool> LibraryIsThere = new(static () =>
    {
        if (!NativeLibrary.TryLoad(NativeWebp.Library, typeof(WebpEncoder).Assembly, null, out _)) return false;
        var picture = new NativePicture();
        return NativeWebp.InitPicture(&picture, NativeWebp.AbiVersion) != 0;
    });

    /// <summary>Whether libwebp is on this machine, in a version that is understood.</summary>
    public static bool IsAvailable => LibraryIsThere.Value;

    /// <summary>Encodes a frame of 8-bit grey or RGB with a loss.</summary>
    /// <param name="pixels">Rows of 1 or 3 bytes per pixel, no padding.</param>
    /// <param name="frame">Their shape; 8 bits, by pixel.</param>
    /// <param name="quality">0 (coarse) to 100 (fine).</param>
    /// <param name="stream">Takes the file.</param>
    /// <param name="cancellationToken">Checked a few times per picture.</param>
    public static void Encode(ReadOnlySpan<byte> pixels, in FrameDescription frame, int quality, IBufferWriter<byte> stream, CancellationToken cancellationToken) =>
        Encode(pixels, frame.Columns, frame.Rows, frame.SamplesPerPixel, new WebpOptions { Quality = quality }, stream, cancellationToken);

    /// <summary>Encodes a picture.</summary>
    /// <param name="pixels">Rows of 1 (grey), 3 (red, green, blue) or 4 (and alpha, not premultiplied) bytes per pixel, no padding.</param>
    /// <param name="width">1 to <see cref="MaxSide"/>.</param>
    /// <param name="height">1 to <see cref="MaxSide"/>.</param>
    /// <param name="channels">1, 3 or 4.</param>
    /// <param name="options">How.</param>
    /// <param name="stream">Takes the file; where this throws, part of one.</param>
    /// <param name="cancellationToken">Checked a few times per picture.</param>
    /// <exception cref="InvalidOperationException">The library is missing, or failed.</exception>
    public static void Encode(ReadOnlySpan<byte> pixels, int width, int height, int channels, in WebpOptions options, IBufferWriter<byte> stream, CancellationToken cancellationToken)
    {
        if (!IsAvailable) throw new InvalidOperationException("libwebp is missing.");
        ArgumentOutOfRangeException.ThrowIfNotEqual(pixels.Length, checked(width * height * channels));
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, MaxSide);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(height, MaxSide);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)options.Quality, 100u, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)options.Effort, 6u, nameof(options));
        if (channels is not (1 or 3 or 4)) throw new ArgumentOutOfRangeException(nameof(channels));
        cancellationToken.ThrowIfCancellationRequested();

        NativeConfig config;
        NativePicture picture;
        if (NativeWebp.InitConfig(&config, 0, options.Quality, NativeWebp.AbiVersion) == 0 || NativeWebp.InitPicture(&picture, NativeWebp.AbiVersion) == 0)
            throw new InvalidOperationException("libwebp is of a version that is not understood.");
        config.Method = options.Effort;
        config.Lossless = options.IsLossless ? 1 : 0;
        config.Exact = options.IsLossless ? 1 : 0; // the colours of clear pixels too

        var call = new Call(stream, cancellationToken);
        var handle = GCHandle.Alloc(call);
        try
        {
            (picture.Width, picture.Height) = (width, height);
            picture.UseArgb = options.IsLossless || channels > 1 ? 1 : 0;
            if (NativeWebp.Allocate(&picture) == 0) throw new OutOfMemoryException("libwebp got no memory for the picture.");
            if (picture.UseArgb == 0) FillGrey(picture, pixels);
            else FillColours(picture, pixels, channels);

            picture.Writer = &Write;
            picture.ProgressHook = &Progress;
            picture.CustomPointer = picture.UserData = GCHandle.ToIntPtr(handle);
            if (NativeWebp.Encode(&config, &picture) != 0) return;
            cancellationToken.ThrowIfCancellationRequested();
            call.Failure?.Throw();
            throw new InvalidOperationException($"libwebp failed with error {picture.ErrorCode}.");
        }
        finally
        {
            NativeWebp.Free(&picture);
            handle.Free();
        }
    }

    // Grey needs no colour planes but flat ones; the library's own weights for BT.601 in 16 to 235.
    private static void FillGrey(in NativePicture picture, ReadOnlySpan<byte> pixels)
    {
        Span<byte> luma = stackalloc byte[256];
        for (var grey = 0; grey < 256; grey++) luma[grey] = (byte)(((16839 + 33059 + 6420) * grey + (1 << 15) + (16 << 16)) >> 16);
        for (var row = 0; row < picture.Height; row++)
        {
            var from = pixels.Slice(row * picture.Width, picture.Width);
            var to = new Span<byte>(picture.Y + (nint)row * picture.YStride, picture.Width);
            for (var x = 0; x < from.Length; x++) to[x] = luma[from[x]];
        }
        for (var row = 0; row < (picture.Height + 1) / 2; row++)
        {
            new Span<byte>(picture.U + (nint)row * picture.UvStride, (picture.Width + 1) / 2).Fill(128);
            new Span<byte>(picture.V + (nint)row * picture.UvStride, (picture.Width + 1) / 2).Fill(128);
        }
    }

    private static void FillColours(in NativePicture picture, ReadOnlySpan<byte> pixels, int channels)
    {
        for (var row = 0; row < picture.Height; row++)
        {
            var from = pixels.Slice(row * picture.Width * channels, picture.Width * channels);
            var to = new Span<uint>(picture.Argb + (nint)row * picture.ArgbStride, picture.Width);
            switch (channels)
            {
                case 1:
                    for (var x = 0; x < to.Length; x++) to[x] = 0xFF000000u | from[x] * 0x010101u;
                    break;
                case 3:
                    for (int x = 0, at = 0; x < to.Length; x++, at += 3) to[x] = 0xFF000000u | (uint)from[at] << 16 | (uint)from[at + 1] << 8 | from[at + 2];
                    break;
                default:
                    for (int x = 0, at = 0; x < to.Length; x++, at += 4) to[x] = (uint)from[at + 3] << 24 | (uint)from[at] << 16 | (uint)from[at + 1] << 8 | from[at + 2];
                    break;
            }
        }
    }

    /// <summary>What one call's callbacks need. No exception may cross the library: it is kept, and the library told to stop.</summary>
    private sealed class Call(IBufferWriter<byte> stream, CancellationToken cancellationToken)
    {
        public System.Runtime.ExceptionServices.ExceptionDispatchInfo? Failure { get; private set; }

        public bool IsCancelled => cancellationToken.IsCancellationRequested;

        public bool TryWrite(ReadOnlySpan<byte> bytes)
        {
            try
            {
                stream.Write(bytes);
                return true;
            }
            catch (Exception exception)
            {
                Failure = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(exception);
                return false;
            }
        }
    }

    private static Call CallOf(nint pointer) => Unsafe.As<Call>(GCHandle.FromIntPtr(pointer).Target!);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(byte* data, nuint length, NativePicture* picture) => CallOf(picture->CustomPointer).TryWrite(new ReadOnlySpan<byte>(data, checked((int)length))) ? 1 : 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Progress(int percent, NativePicture* picture) => CallOf(picture->UserData).IsCancelled ? 0 : 1;
}
