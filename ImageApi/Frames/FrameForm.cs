namespace ImageApi.Frames;

/// <summary>What a frame's bytes can be had as. All but the first are made from it, losslessly.</summary>
internal enum FrameForm
{
    /// <summary>The origin's own bytes; native pixels as little endian.</summary>
    AsStored,

    /// <summary>Decoded: explicit VR little endian, colour by pixel.</summary>
    Raw,

    /// <summary>HTJ2K in the order of resolutions, 1.2.840.10008.1.2.4.202: each resolution is a prefix of the stream.</summary>
    Htj2kRpcl,

    /// <summary>HTJ2K in any order, 1.2.840.10008.1.2.4.201. Ours is the stream of <see cref="Htj2kRpcl"/>, which is one.</summary>
    Htj2k,

    /// <summary>JPEG-LS lossless, 1.2.840.10008.1.2.4.80.</summary>
    JpegLs,
}
