using System.Runtime.InteropServices;

namespace Platform.Codecs.WebP;

/// <summary>How the library is to encode: <c>WebPConfig</c> of libwebp's encode.h. The tail is room for members that later versions append.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeConfig
{
    public int Lossless;
    public float Quality;
    public int Method, ImageHint, TargetSize;
    public float TargetPsnr;
    public int Segments, SnsStrength, FilterStrength, FilterSharpness, FilterType, AutoFilter, AlphaCompression, AlphaFiltering, AlphaQuality, Pass, ShowCompressed,
        Preprocessing, Partitions, PartitionLimit, EmulateJpegSize, ThreadLevel, LowMemory, NearLossless, Exact, UseDeltaPalette, UseSharpYuv, QMin, QMax;
    private fixed int _later[16];
}

/// <summary>A picture and what is done with it: <c>WebPPicture</c> of libwebp's encode.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativePicture
{
    public int UseArgb, ColourSpace, Width, Height;
    public byte* Y, U, V;
    public int YStride, UvStride;
    public byte* A;
    public int AStride;
    private fixed uint _pad1[2];
    public uint* Argb;
    public int ArgbStride;
    private fixed uint _pad2[3];
    public delegate* unmanaged[Cdecl]<byte*, nuint, NativePicture*, int> Writer;
    public nint CustomPointer;
    public int ExtraInfoType;
    public byte* ExtraInfo;
    public void* Stats;
    public int ErrorCode;
    public delegate* unmanaged[Cdecl]<int, NativePicture*, int> ProgressHook;
    public nint UserData;
    private fixed uint _pad3[3];
    public nint Pad4, Pad5;
    private fixed uint _pad6[8];
    public nint Memory, MemoryArgb, Pad7First, Pad7Second;
    private fixed int _later[16];
}

/// <summary>What is called of libwebp, from version 1.0 on.</summary>
internal static unsafe partial class NativeWebp
{
    public const string Library = "libwebp.so.7";

    /// <summary>Of the interface described here; the library refuses another first byte.</summary>
    public const int AbiVersion = 0x020f;

    [LibraryImport(Library, EntryPoint = "WebPConfigInitInternal")]
    public static partial int InitConfig(NativeConfig* config, int preset, float quality, int abiVersion);

    [LibraryImport(Library, EntryPoint = "WebPPictureInitInternal")]
    public static partial int InitPicture(NativePicture* picture, int abiVersion);

    [LibraryImport(Library, EntryPoint = "WebPPictureAlloc")]
    public static partial int Allocate(NativePicture* picture);

    [LibraryImport(Library, EntryPoint = "WebPEncode")]
    public static partial int Encode(NativeConfig* config, NativePicture* picture);

    [LibraryImport(Library, EntryPoint = "WebPPictureFree")]
    public static partial void Free(NativePicture* picture);
}
