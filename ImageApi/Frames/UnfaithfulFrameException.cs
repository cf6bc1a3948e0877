namespace ImageApi.Frames;

/// <summary>A form of a frame cannot be had although the frame is sound: what the encoder made is not the frame, or it does not take such frames.</summary>
internal sealed class UnfaithfulFrameException(string message, Exception? inner = null) : Exception(message, inner);
