using System.Numerics;

namespace ImageApi.Demo;

/// <summary>
/// Tissue as haematoxylin and eosin show it, from formulas: glands of tall cells around a lumen, stroma of fibres between them, lymphocytes strewn about, glass around.
/// Painted as two amounts of dye per pixel, which absorb light as dyes do. Any part can be painted by itself, and equal seeds give equal pixels.
/// </summary>
internal sealed class PhantomTissue
{
    /// <summary>Of the whole, in pixels of 0.5 µm.</summary>
    public const int Width = 3072, Height = 2304;

    private const int DyeSteps = 64, GlandCell = 300, NucleusCell = 15;
    private const float MaxDye = 2.2f;

    private readonly byte[] _colours = new byte[DyeSteps * DyeSteps * 3];
    private readonly uint _seed;

    public PhantomTissue(int seed)
    {
        _seed = (uint)seed;
        for (var h = 0; h < DyeSteps; h++)
        {
            for (var e = 0; e < DyeSteps; e++)
            {
                var (blue, pink) = (h * MaxDye / (DyeSteps - 1), e * MaxDye / (DyeSteps - 1));
                // Optical densities of the two dyes in red, green and blue light, on glass that is not quite white.
                var at = 3 * (h * DyeSteps + e);
                _colours[at] = (byte)(244 * MathF.Exp(-(0.92f * blue + 0.09f * pink)));
                _colours[at + 1] = (byte)(241 * MathF.Exp(-(0.98f * blue + 0.78f * pink)));
                _colours[at + 2] = (byte)(245 * MathF.Exp(-(0.42f * blue + 0.34f * pink)));
            }
        }
    }

    /// <summary>Paints rows of the whole, red, green and blue.</summary>
    /// <param name="top">First row.</param>
    /// <param name="rows">How many; those beyond the whole are glass.</param>
    /// <param name="rgb">Takes <see cref="Width"/> x <paramref name="rows"/> pixels.</param>
    public void Paint(int top, int rows, Span<byte> rgb)
    {
        var dyes = new Vector2[Width * rows];   // haematoxylin, eosin
        PaintStroma(top, rows, dyes);
        PaintGlands(top, rows, dyes);
        PaintNuclei(top, rows, dyes);
        for (var i = 0; i < dyes.Length; i++)
        {
            var (h, e) = ((int)(dyes[i].X * ((DyeSteps - 1) / MaxDye)), (int)(dyes[i].Y * ((DyeSteps - 1) / MaxDye)));
            var at = 3 * (Math.Clamp(h, 0, DyeSteps - 1) * DyeSteps + Math.Clamp(e, 0, DyeSteps - 1));
            (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) = (_colours[at], _colours[at + 1], _colours[at + 2]);
        }
    }

    /// <summary>How far inside of the tissue a place is: below 0 glass, 1 well inside.</summary>
    private float Inside(float x, float y)
    {
        var (u, v) = ((x - Width * 0.5f) / (Width * 0.43f), (y - Height * 0.5f) / (Height * 0.41f));
        return 4 * (1 - MathF.Sqrt(u * u + v * v) + 0.30f * (Noise(x / 520, y / 520, 1) - 0.5f) + 0.10f * (Noise(x / 90, y / 90, 2) - 0.5f));
    }

    private void PaintStroma(int top, int rows, Span<Vector2> dyes)
    {
        // Smooth things are computed for every fourth pixel.
        for (var y = 0; y < rows; y += 4)
        {
            for (var x = 0; x < Width; x += 4)
            {
                float px = x, py = top + y;
                var inside = Inside(px, py);
                if (inside <= 0) continue;
                // Fibres: noise stretched along a direction that turns from place to place.
                var turn = 6.3f * Noise(px / 400, py / 400, 3);
                var (sin, cos) = MathF.SinCos(turn);
                var fibre = Noise((px * cos + py * sin) / 70, (py * cos - px * sin) / 7, 4);
                var gap = Noise(px / 30, py / 30, 5);
                var eosin = Math.Min(1, inside * 3) * (gap < 0.22f ? 0.10f : 0.25f + 0.55f * fibre);
                for (var dy = 0; dy < 4 && y + dy < rows; dy++)
                {
                    for (var dx = 0; dx < 4; dx++)
                    {
                        var grain = Hash(x + dx, top + y + dy, 6) * (1f / uint.MaxValue) - 0.5f;
                        dyes[(y + dy) * Width + x + dx] = new Vector2(0.06f * eosin, eosin + 0.10f * grain * eosin);
                    }
                }
            }
        }
    }

    private void PaintGlands(int top, int rows, Span<Vector2> dyes)
    {
        for (var row = (top - GlandCell) / GlandCell - 1; row <= (top + rows + GlandCell) / GlandCell; row++)
        {
            for (var column = 0; column <= Width / GlandCell; column++)
            {
                if (GlandAt(column, row) is { } gland && gland.Y + 1.6f * gland.Radius > top && gland.Y - 1.6f * gland.Radius < top + rows) PaintGland(gland, top, rows, dyes);
            }
        }
    }

    private void PaintGland(Gland gland, int top, int rows, Span<Vector2> dyes)
    {
        var reach = gland.Radius * 1.5f;
        for (var y = Math.Max(0, (int)(gland.Y - reach) - top); y < Math.Min(rows, (int)(gland.Y + reach) - top + 1); y++)
        {
            for (var x = Math.Max(0, (int)(gland.X - reach)); x < Math.Min(Width, (int)(gland.X + reach) + 1); x++)
            {
                var distance = gland.Distance(x, top + y);
                if (distance > 1) continue;
                ref var dye = ref dyes[y * Width + x];
                if (distance < gland.Lumen) dye = new Vector2(0.01f, 0.05f);
                else if (distance < gland.Lumen + 0.05f) dye = new Vector2(0.05f, 0.85f);   // the brush border
                else dye = new Vector2(0.14f, 0.34f + 0.12f * (Hash(x, top + y, 7) * (1f / uint.MaxValue)));
            }
        }

        // Nuclei stand in a row near the base.
        var count = (int)(2 * MathF.PI * gland.Radius * 0.82f / 11);
        for (var i = 0; i < count; i++)
        {
            var angle = (i + 0.4f * Unit(i, gland.Key, 8)) * 2 * MathF.PI / count;
            var at = 0.80f + 0.08f * Unit(i, gland.Key, 9);
            var (sin, cos) = MathF.SinCos(angle);
            var edge = gland.Edge(angle) * gland.Radius * at;
            PaintNucleus(gland.X + cos * edge, gland.Y + sin * edge, 9.5f + 2 * Unit(i, gland.Key, 10), 4.6f + Unit(i, gland.Key, 11), angle, 0.95f + 0.4f * Unit(i, gland.Key, 12), top, rows, dyes);
        }
    }

    private void PaintNuclei(int top, int rows, Span<Vector2> dyes)
    {
        for (var row = (top - NucleusCell) / NucleusCell - 1; row <= (top + rows + NucleusCell) / NucleusCell; row++)
        {
            for (var column = 0; column <= Width / NucleusCell; column++)
            {
                float x = (column + Unit(column, row, 20)) * NucleusCell, y = (row + Unit(column, row, 21)) * NucleusCell;
                if (y < top - 16 || y > top + rows + 16 || Inside(x, y) <= 0.1f) continue;
                var crowd = Noise(x / 260, y / 260, 22);
                if (Unit(column, row, 23) > 0.10f + 0.75f * MathF.Max(0, crowd - 0.55f) * 2.2f || IsInGland(x, y)) continue;
                var isLymphocyte = crowd > 0.6f;
                var turn = 6.3f * Noise(x / 400, y / 400, 3);
                PaintNucleus(x, y, isLymphocyte ? 6.2f : 11, isLymphocyte ? 5.8f : 3.2f, turn, isLymphocyte ? 1.55f : 1.05f, top, rows, dyes);
            }
        }
    }

    private void PaintNucleus(float centreX, float centreY, float length, float breadth, float angle, float dye, int top, int rows, Span<Vector2> dyes)
    {
        var (sin, cos) = MathF.SinCos(angle);
        var reach = length + 1;
        for (var y = Math.Max(0, (int)(centreY - reach) - top); y < Math.Min(rows, (int)(centreY + reach) - top + 1); y++)
        {
            for (var x = Math.Max(0, (int)(centreX - reach)); x < Math.Min(Width, (int)(centreX + reach) + 1); x++)
            {
                var (dx, dy) = (x - centreX, top + y - centreY);
                var (u, v) = ((dx * cos + dy * sin) / length, (dy * cos - dx * sin) / breadth);
                var distance = u * u + v * v;
                if (distance > 1) continue;
                var chromatin = 0.75f + 0.5f * Noise(x / 2.6f, (top + y) / 2.6f, 24) + (distance > 0.72f ? 0.12f : 0);
                ref var place = ref dyes[y * Width + x];
                place = new Vector2(Math.Max(place.X, dye * chromatin), place.Y * 0.6f + 0.12f);
            }
        }
    }

    private Gland? GlandAt(int column, int row)
    {
        if (Unit(column, row, 30) > 0.62f) return null;
        float x = (column + 0.25f + 0.5f * Unit(column, row, 31)) * GlandCell, y = (row + 0.25f + 0.5f * Unit(column, row, 32)) * GlandCell;
        return Inside(x, y) < 0.7f ? null : new Gland(x, y, 62 + 46 * Unit(column, row, 33), 0.30f + 0.25f * Unit(column, row, 34), 6.3f * Unit(column, row, 35), row * 4096 + column);
    }

    private bool IsInGland(float x, float y)
    {
        var (column, row) = ((int)MathF.Floor(x / GlandCell), (int)MathF.Floor(y / GlandCell));
        for (var dy = -1; dy <= 1; dy++)
        {
            for (var dx = -1; dx <= 1; dx++)
            {
                if (GlandAt(column + dx, row + dy) is { } gland && gland.Distance(x, y) <= 1.05f) return true;
            }
        }
        return false;
    }

    private float Unit(int x, int y, uint salt) => Hash(x, y, salt) * (1f / uint.MaxValue);

    /// <summary>Smooth noise of 0 to 1: values at the corners of a lattice of size 1, joined smoothly.</summary>
    private float Noise(float x, float y, uint salt)
    {
        var (i, j) = ((int)MathF.Floor(x), (int)MathF.Floor(y));
        var (u, v) = (x - i, y - j);
        (u, v) = (u * u * (3 - 2 * u), v * v * (3 - 2 * v));
        float a = Hash(i, j, salt), b = Hash(i + 1, j, salt), c = Hash(i, j + 1, salt), d = Hash(i + 1, j + 1, salt);
        var (upper, lower) = (a + u * (b - a), c + u * (d - c));
        return (upper + v * (lower - upper)) * (1f / uint.MaxValue);
    }

    private uint Hash(int x, int y, uint salt)
    {
        var hash = (uint)x * 0x9E3779B1u ^ (uint)y * 0x85EBCA77u ^ (salt + _seed * 131) * 0xC2B2AE3Du;
        hash ^= hash >> 15;
        hash *= 0x2C1B3C6Du;
        hash ^= hash >> 12;
        hash *= 0x297A2D39u;
        return hash ^ hash >> 15;
    }

    /// <param name="X">Centre.</param>
    /// <param name="Y">Centre.</param>
    /// <param name="Radius">About.</param>
    /// <param name="Lumen">Part of the radius that is hollow.</param>
    /// <param name="Phase">Of its outline, which is not round.</param>
    /// <param name="Key">Its own number.</param>
    private readonly record struct Gland(float X, float Y, float Radius, float Lumen, float Phase, int Key)
    {
        /// <summary>The outline in a direction, in radii.</summary>
        public float Edge(float angle) => 1 + 0.14f * MathF.Sin(2 * angle + Phase) + 0.07f * MathF.Sin(3 * angle + 2 * Phase);

        /// <summary>0 at the centre, 1 at the outline.</summary>
        public float Distance(float x, float y)
        {
            var (dx, dy) = (x - X, y - Y);
            var distance = MathF.Sqrt(dx * dx + dy * dy) / Radius;
            return distance > 1.3f ? distance : distance / Edge(MathF.Atan2(dy, dx));
        }
    }
}
