using System.Numerics;

namespace ImageApi.Demo;

/// <summary>Pictures of places that there are not, computed pixel by pixel: the same ones each time.</summary>
internal static class DemoScenes
{
    public const int Width = 960, Height = 640;

    /// <summary>The scenes by name; each gives a colour (0 to 1) for a place, x and y from 0 at the upper left to 1.</summary>
    public static IReadOnlyList<(string Name, Func<float, float, Vector3> Colour)> All { get; } =
    [
        ("Hills at dusk.jpg", Hills),
        ("Three spheres.jpg", Spheres),
        ("Northern lights.jpg", Lights),
    ];

    /// <summary>A scene as rows of red, green, blue; four rays for each pixel, so that edges are smooth.</summary>
    public static byte[] Render(Func<float, float, Vector3> colour, CancellationToken cancellationToken)
    {
        var pixels = new byte[Width * Height * 3];
        for (var y = 0; y < Height; y++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var x = 0; x < Width; x++)
            {
                var sum = Vector3.Zero;
                for (var ray = 0; ray < 4; ray++) sum += Vector3.Clamp(colour((x + 0.25f + 0.5f * (ray & 1)) / Width, (y + 0.25f + 0.5f * (ray >> 1)) / Height), Vector3.Zero, Vector3.One);
                var at = 3 * (y * Width + x);
                (pixels[at], pixels[at + 1], pixels[at + 2]) = ((byte)(sum.X * 63.75f + 0.5f), (byte)(sum.Y * 63.75f + 0.5f), (byte)(sum.Z * 63.75f + 0.5f));
            }
        }
        return pixels;
    }

    // Ridges one behind the other, each paler than the one before, under a low sun.
    private static Vector3 Hills(float x, float y)
    {
        var sun = new Vector2(0.68f, 0.36f);
        var distance = Vector2.Distance(new Vector2(x * 1.5f, y), new Vector2(sun.X * 1.5f, sun.Y));
        var sky = Vector3.Lerp(new Vector3(0.16f, 0.22f, 0.42f), new Vector3(0.98f, 0.68f, 0.44f), Smooth(0, 0.62f, y));
        var colour = sky + new Vector3(1, 0.75f, 0.4f) * (0.5f * MathF.Exp(-7 * distance)) + new Vector3(0.2f, 0.12f, 0.08f) * Clouds(x, y);
        if (distance < 0.052f) colour = new Vector3(1, 0.93f, 0.76f);
        for (var ridge = 0; ridge < 6; ridge++)
        {
            var near = ridge / 5f;
            var height = 0.46f + 0.09f * ridge + (0.05f + 0.03f * near) * (Noise(x * (2.2f + ridge) + 7.3f * ridge, ridge * 3.1f, 5) - 0.5f) * 2;
            if (y < height) continue;
            var haze = Vector3.Lerp(new Vector3(0.78f, 0.56f, 0.5f), new Vector3(0.06f, 0.09f, 0.13f), MathF.Pow(near, 0.7f));
            var depth = Math.Clamp((y - height) * 6, 0, 1);
            colour = haze + new Vector3(0.16f, 0.1f, 0.07f) * ((1 - depth) * (1 - near)) + new Vector3(0.03f) * (Noise(x * 40, y * 40, 3) - 0.5f) * near;
        }
        return colour;
    }

    private static float Clouds(float x, float y) => Smooth(0.5f, 0.8f, Noise(x * 3, y * 14 + 20, 4)) * (1 - Smooth(0.25f, 0.5f, y));

    // Rays against three spheres on a floor, one light, reflections two deep.
    private static Vector3 Spheres(float x, float y)
    {
        var direction = Vector3.Normalize(new Vector3((x - 0.5f) * 1.5f, 0.42f - y, 1.25f));
        return Trace(new Vector3(0, 0.9f, -3.4f), direction, 2);
    }

    private static readonly (Vector3 Center, float Radius, Vector3 Colour, float Mirror)[] Balls =
    [
        (new Vector3(-1.05f, 0.55f, 0.35f), 0.55f, new Vector3(0.85f, 0.32f, 0.25f), 0.18f),
        (new Vector3(0.15f, 0.75f, 0.9f), 0.75f, new Vector3(0.85f, 0.87f, 0.9f), 0.7f),
        (new Vector3(1.2f, 0.45f, -0.1f), 0.45f, new Vector3(0.2f, 0.5f, 0.75f), 0.25f),
    ];

    private static Vector3 Trace(Vector3 from, Vector3 direction, int depth)
    {
        var sky = Vector3.Lerp(new Vector3(0.93f, 0.9f, 0.86f), new Vector3(0.4f, 0.58f, 0.8f), Smooth(-0.05f, 0.6f, direction.Y));
        if (Hit(from, direction) is not { } hit) return sky;
        var light = Vector3.Normalize(new Vector3(-0.6f, 1, -0.7f));
        var isLit = Hit(hit.Point + hit.Normal * 1e-3f, light) is null;
        var diffuse = Math.Max(0, Vector3.Dot(hit.Normal, light)) * (isLit ? 1 : 0.12f);
        var shine = isLit ? MathF.Pow(Math.Max(0, Vector3.Dot(Vector3.Reflect(direction, hit.Normal), light)), 60) : 0;
        var colour = hit.Colour * (0.28f + 0.75f * diffuse) + new Vector3(shine * 0.7f);
        if (depth > 0 && hit.Mirror > 0)
        {
            var edge = hit.Mirror + (1 - hit.Mirror) * MathF.Pow(1 - Math.Abs(Vector3.Dot(direction, hit.Normal)), 5);
            colour = Vector3.Lerp(colour, Trace(hit.Point + hit.Normal * 1e-3f, Vector3.Reflect(direction, hit.Normal), depth - 1), edge);
        }
        return Vector3.Lerp(colour, sky, Smooth(5, 30, Vector3.Distance(from, hit.Point)));
    }

    private static (Vector3 Point, Vector3 Normal, Vector3 Colour, float Mirror)? Hit(Vector3 from, Vector3 direction)
    {
        (Vector3, Vector3, Vector3, float)? nearest = null;
        var least = 60f;
        if (direction.Y < -1e-4f && -from.Y / direction.Y is > 1e-3f and var floor && floor < least)
        {
            least = floor;
            var point = from + direction * floor;
            var isDark = ((int)MathF.Floor(point.X * 1.4f) + (int)MathF.Floor(point.Z * 1.4f) & 1) == 0;
            nearest = (point, Vector3.UnitY, isDark ? new Vector3(0.34f, 0.36f, 0.4f) : new Vector3(0.86f, 0.84f, 0.8f), 0.12f);
        }
        foreach (var (center, radius, colour, mirror) in Balls)
        {
            var to = from - center;
            var b = Vector3.Dot(to, direction);
            var root = b * b - to.LengthSquared() + radius * radius;
            if (root <= 0 || -b - MathF.Sqrt(root) is var t && (t < 1e-3f || t >= least)) continue;
            least = -b - MathF.Sqrt(root);
            var point = from + direction * least;
            nearest = (point, (point - center) / radius, colour, mirror);
        }
        return nearest;
    }

    // Curtains of light over a dark shore, and their reflection.
    private static Vector3 Lights(float x, float y)
    {
        const float Shore = 0.74f;
        if (y > Shore)
        {
            var wave = 0.006f * MathF.Sin(y * 240 + 6 * Noise(x * 8, y * 30, 2));
            return Lights(Math.Clamp(x + wave, 0, 1), 2 * Shore - y - 0.02f) * new Vector3(0.34f, 0.4f, 0.46f) + new Vector3(0.005f, 0.012f, 0.02f);
        }
        var colour = Vector3.Lerp(new Vector3(0.015f, 0.025f, 0.07f), new Vector3(0.05f, 0.11f, 0.17f), y / Shore);
        var cell = new Vector2(MathF.Floor(x * 200), MathF.Floor(y * 134));
        if (Random(cell.X, cell.Y) > 0.992f) colour += new Vector3(0.7f * Random(cell.Y, cell.X)) * MathF.Exp(-9 * Vector2.DistanceSquared(new Vector2(x * 200, y * 134) - cell, new Vector2(0.5f)));
        for (var curtain = 0; curtain < 3; curtain++)
        {
            var middle = 0.34f + 0.1f * curtain + 0.22f * (Noise(x * (1.4f + 0.5f * curtain) + 11 * curtain, curtain * 5.7f, 3) - 0.5f);
            var above = middle - y;
            var strength = above < 0 ? MathF.Exp(60 * above) : MathF.Exp(-5.5f * above);
            var rays = 0.45f + 0.75f * Noise(x * 26 + curtain * 9, y * 0.6f + curtain, 3);
            var hue = Vector3.Lerp(new Vector3(0.12f, 0.85f, 0.5f), new Vector3(0.5f, 0.2f, 0.7f), Smooth(0.02f, 0.32f, above));
            colour += hue * (strength * rays * 0.42f);
        }
        var ridge = Shore - 0.05f - 0.07f * Noise(x * 5 + 40, 2, 5);
        return y > ridge ? new Vector3(0.012f, 0.02f, 0.03f) : colour;
    }

    /// <summary>0 below a, 1 above b, smooth between.</summary>
    private static float Smooth(float a, float b, float value)
    {
        var t = Math.Clamp((value - a) / (b - a), 0, 1);
        return t * t * (3 - 2 * t);
    }

    /// <summary>Value noise in octaves, 0 to 1.</summary>
    private static float Noise(float x, float y, int octaves)
    {
        float sum = 0, weight = 0.5f, total = 0;
        for (var i = 0; i < octaves; i++, x *= 2.03f, y *= 2.03f, weight *= 0.5f)
        {
            float left = MathF.Floor(x), top = MathF.Floor(y), u = Smooth(0, 1, x - left), v = Smooth(0, 1, y - top);
            var upper = Random(left, top) + (Random(left + 1, top) - Random(left, top)) * u;
            var lower = Random(left, top + 1) + (Random(left + 1, top + 1) - Random(left, top + 1)) * u;
            sum += weight * (upper + (lower - upper) * v);
            total += weight;
        }
        return sum / total;
    }

    /// <summary>A number from 0 to 1 for a pair of whole ones.</summary>
    private static float Random(float x, float y)
    {
        var mixed = unchecked((uint)(int)x * 374761393u + (uint)(int)y * 668265263u);
        mixed = (mixed ^ mixed >> 13) * 1274126177u;
        return ((mixed ^ mixed >> 16) & 0xFFFFFF) / (float)0xFFFFFF;
    }
}
