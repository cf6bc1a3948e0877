namespace ImageApi.Frames;

/// <summary>When somebody last asked for pixels: what is done ahead keeps out of the way of people.</summary>
internal sealed class FrameActivity(TimeProvider time)
{
    private long _askedAt = time.GetTimestamp();

    public TimeSpan Quiet => time.GetElapsedTime(Volatile.Read(ref _askedAt));

    public void Asked() => Volatile.Write(ref _askedAt, time.GetTimestamp());
}
