namespace ImageApi.Demo;

/// <summary>
/// One axial slice while it is painted, in Hounsfield units. Positions are in mm: x to the patient's left, y to the back, both from the middle
/// of the image; <see cref="Depth"/> downwards from the top of the head.
/// </summary>
internal sealed class PhantomCanvas
{
    public const int Size = 512;
    public const float FieldOfView = 440;
    public const float PixelSpacing = FieldOfView / Size;
    private const float Air = -1000;

    public float[] Pixels { get; } = new float[Size * Size];

    /// <summary>mm below the top of the head.</summary>
    public float Depth { get; private set; }

    public void Begin(float depth)
    {
        Depth = depth;
        Array.Fill(Pixels, Air);
    }

    public static float PositionOf(int pixel) => (pixel + 0.5f - (Size / 2f)) * PixelSpacing;

    /// <summary>The pixels that a stretch of mm covers, cut at the image's edges; empty when <c>last</c> is less than <c>first</c>.</summary>
    public static (int First, int Last) Cover(float from, float to) =>
        (Math.Max(0, (int)MathF.Floor((from / PixelSpacing) + (Size / 2f) - 0.5f)), Math.Min(Size - 1, (int)MathF.Ceiling((to / PixelSpacing) + (Size / 2f) - 0.5f)));

    /// <summary>A row of pixels, to be blended with.</summary>
    public Span<float> Row(int row) => Pixels.AsSpan(row * Size, Size);
}

/// <summary>What a shape is made of: HU, and how much and how coarsely it varies.</summary>
/// <param name="Hu">Mean.</param>
/// <param name="Variation">HU of the texture's standard deviation.</param>
/// <param name="Grain">Size of the texture's features in mm.</param>
internal readonly record struct Tissue(float Hu, float Variation = 0, float Grain = 10)
{
    public static readonly Tissue Skin = new(20);
    public static readonly Tissue Fat = new(-100, 6, 12);
    public static readonly Tissue Muscle = new(55, 9, 7);
    public static readonly Tissue Cortex = new(950, 90, 9);
    public static readonly Tissue Marrow = new(240, 70, 4);
    public static readonly Tissue Gas = new(-1000);
    public static readonly Tissue Fluid = new(8, 2, 8);
    public static readonly Tissue Blood = new(165, 4, 10);
}
