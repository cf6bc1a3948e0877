using Platform.Codecs;
using Platform.Codecs.Htj2k;
using Platform.Codecs.JpegLs;

namespace ImageApi.Frames;

/// <summary>Who makes which form. What they make is decoded again and compared before it is kept, whoever they are.</summary>
internal sealed record FrameEncoders(IFrameEncoder Htj2k, IFrameEncoder JpegLs)
{
    public FrameEncoders() : this(new Htj2kFrameEncoder(), new JpegLsFrameEncoder())
    {
    }

    public IFrameEncoder Of(FrameForm form) => form switch
    {
        FrameForm.Htj2kRpcl or FrameForm.Htj2k => Htj2k,
        FrameForm.JpegLs => JpegLs,
        _ => throw new ArgumentOutOfRangeException(nameof(form)),
    };
}
