namespace ImageApi.Demo;

/// <summary>
/// Two kinds of randomness, both from tables made once from a seed: smooth variation in space for tissue, and a scanner's noise per slice, slightly correlated as a
/// reconstruction kernel leaves it. Equal seeds give equal values.
/// </summary>
internal sealed class PhantomNoise
{
    private const int Lattice = 32;
    private const int Tile = 1024;

    private readonly float[] _lattice = new float[Lattice * Lattice * Lattice];
    private readonly float[] _tile = new float[Tile * Tile];
    private readonly int _seed;

    public PhantomNoise(int seed)
    {
        _seed = seed;
        var random = new Random(seed);
        for (var i = 0; i < _lattice.Length; i++) _lattice[i] = Gaussian(random);

        var white = new float[Tile * Tile];
        for (var i = 0; i < white.Length; i += 2) (white[i], white[i + 1]) = GaussianPair(random);
        Smoothen(white, _tile);
    }

    /// <summary>Smooth variation of unit variance (about), by features of <paramref name="size"/> mm: a lattice of random values, joined linearly.</summary>
    public float Smooth(float x, float y, float z, float size)
    {
        var (u, v, w) = ((x / size) + 500, (y / size) + 500, (z / size) + 500);   // positive, so that truncation is the floor
        var (i, j, k) = ((int)u, (int)v, (int)w);
        var (fu, fv, fw) = (u - i, v - j, w - k);
        const int mask = Lattice - 1;
        var (i0, i1) = (i & mask, (i + 1) & mask);
        var (j0, j1) = ((j & mask) * Lattice, ((j + 1) & mask) * Lattice);
        var (k0, k1) = ((k & mask) * Lattice * Lattice, ((k + 1) & mask) * Lattice * Lattice);
        var lattice = _lattice;
        var near = Mix(Mix(lattice[k0 + j0 + i0], lattice[k0 + j0 + i1], fu), Mix(lattice[k0 + j1 + i0], lattice[k0 + j1 + i1], fu), fv);
        var far = Mix(Mix(lattice[k1 + j0 + i0], lattice[k1 + j0 + i1], fu), Mix(lattice[k1 + j1 + i0], lattice[k1 + j1 + i1], fu), fv);
        return Mix(near, far, fw) * 1.6f;
    }

    /// <summary>
    /// Turns a slice into stored values: adds noise of <paramref name="sigma"/> HU and rounds. Each slice takes the noise from two places of the table, so that no two
    /// slices share it.
    /// </summary>
    public void Finish(ReadOnlySpan<float> hu, Span<short> stored, int slice, float sigma)
    {
        var random = new Random(HashCode(_seed, slice));
        var (x1, y1, x2, y2) = (random.Next(Tile - PhantomCanvas.Size), random.Next(Tile - PhantomCanvas.Size), random.Next(Tile - PhantomCanvas.Size), random.Next(Tile - PhantomCanvas.Size));
        var half = sigma * 0.70710678f;
        for (var row = 0; row < PhantomCanvas.Size; row++)
        {
            var from = hu.Slice(row * PhantomCanvas.Size, PhantomCanvas.Size);
            var to = stored.Slice(row * PhantomCanvas.Size, PhantomCanvas.Size);
            var first = _tile.AsSpan(((y1 + row) * Tile) + x1, PhantomCanvas.Size);
            var second = _tile.AsSpan(((y2 + row) * Tile) + x2, PhantomCanvas.Size);
            for (var i = 0; i < to.Length; i++)
            {
                // In air a scanner's noise is cut off at the bottom of the scale, and less.
                var value = from[i] + ((first[i] + second[i]) * (from[i] < -950 ? half * 0.5f : half));
                to[i] = (short)Math.Clamp(MathF.Round(value), -1024, 3071);
            }
        }
    }

    /// <summary>Not <see cref="System.HashCode"/>, which differs from process to process.</summary>
    private static int HashCode(int seed, int slice) => unchecked((seed * 73856093) ^ (slice * 19349663));

    private static float Mix(float a, float b, float t) => a + ((b - a) * t);

    /// <summary>Neighbours share a little of their noise: a 3 by 3 binomial kernel, scaled back to unit variance.</summary>
    private static void Smoothen(float[] white, float[] to)
    {
        const float side = 0.5f, corner = 0.25f;
        var scale = 1 / MathF.Sqrt(1 + (4 * side * side) + (4 * corner * corner));
        for (var row = 0; row < Tile; row++)
        {
            var (above, here, below) = (((row + Tile - 1) % Tile) * Tile, row * Tile, ((row + 1) % Tile) * Tile);
            for (var i = 0; i < Tile; i++)
            {
                var (left, right) = ((i + Tile - 1) % Tile, (i + 1) % Tile);
                to[here + i] = scale * (white[here + i] + (side * (white[here + left] + white[here + right] + white[above + i] + white[below + i]))
                    + (corner * (white[above + left] + white[above + right] + white[below + left] + white[below + right])));
            }
        }
    }

    private static float Gaussian(Random random) => GaussianPair(random).First;

    private static (float First, float Second) GaussianPair(Random random)
    {
        // Box and Muller.
        var radius = MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle()));
        var angle = 2 * MathF.PI * random.NextSingle();
        return (radius * MathF.Cos(angle), radius * MathF.Sin(angle));
    }
}
