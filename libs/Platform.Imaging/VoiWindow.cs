namespace Platform.Imaging;

/// <summary>VOI LUT Function (0028,1056).</summary>
public enum VoiFunction
{
    Linear,
    LinearExact,
    Sigmoid,
}

/// <summary>
/// A window: which modality values (Hounsfield units, say) become which grey (PS3.3 C.11.2.1.2, C.11.2.1.3).
/// </summary>
/// <param name="Center">Window Center, in modality units.</param>
/// <param name="Width">Window Width, in modality units: at least 1 for <see cref="VoiFunction.Linear"/>, else above 0; what is less counts as that.</param>
/// <param name="Function">How values between black and white are spread.</param>
public readonly record struct VoiWindow(double Center, double Width, VoiFunction Function = VoiFunction.Linear)
{
    /// <summary>Grey for a modality value: 0 (black) to 1 (white).</summary>
    public double Apply(double value)
    {
        switch (Function)
        {
            case VoiFunction.Sigmoid:
                return 1 / (1 + Math.Exp(-4 * (value - Center) / Math.Max(Width, double.Epsilon)));
            case VoiFunction.LinearExact:
                return Width > 0 ? Math.Clamp((value - Center) / Width + 0.5, 0, 1) : value > Center ? 1 : 0;
            default:
                var span = Math.Max(Width, 1) - 1;
                var center = Center - 0.5;
                if (value <= center - span / 2) return 0;
                return value > center + span / 2 ? 1 : (value - center) / span + 0.5;
        }
    }
}
