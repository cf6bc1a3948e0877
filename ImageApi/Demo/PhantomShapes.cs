namespace ImageApi.Demo;

/// <summary>A part of the phantom. Parts are painted in order, later ones over earlier ones, with edges as soft as a scanner's.</summary>
internal abstract class PhantomShape
{
    /// <summary>Width of an edge in mm, from nothing to everything.</summary>
    protected const float EdgeWidth = 1.6f;

    /// <summary>Whether the shape reaches into a slice.</summary>
    public abstract bool Touches(float depth);

    public abstract void Paint(PhantomCanvas canvas, PhantomNoise noise);

    /// <summary>How much of a point the shape covers, given its distance from the shape's surface in mm, negative inside.</summary>
    protected static float Cover(float distance)
    {
        var t = Math.Clamp(0.5f - (distance / EdgeWidth), 0, 1);
        return t * t * (3 - (2 * t));
    }
}

/// <summary>A cross-section of a <see cref="Loft"/>: a superellipse. Squareness 0 is an ellipse, 1 nearly a rounded rectangle.</summary>
internal readonly record struct Section(float Depth, float X, float Y, float RadiusX, float RadiusY, float Squareness = 0)
{
    public static Section Between(in Section a, in Section b, float depth)
    {
        var t = (depth - a.Depth) / (b.Depth - a.Depth);
        t = t * t * (3 - (2 * t));
        return new Section(depth, a.X + ((b.X - a.X) * t), a.Y + ((b.Y - a.Y) * t), a.RadiusX + ((b.RadiusX - a.RadiusX) * t), a.RadiusY + ((b.RadiusY - a.RadiusY) * t), a.Squareness + ((b.Squareness - a.Squareness) * t));
    }
}

/// <summary>A body stretched over cross-sections, as a hull over a ship's ribs. Limbs, organs and the skin are made so.</summary>
internal sealed class Loft(Tissue tissue, params Section[] sections) : PhantomShape
{
    /// <summary>Folds of the surface: their depth and size in mm. The brain has them.</summary>
    public (float Amplitude, float Size) Folds { get; init; }

    /// <summary>HU added per mm towards the back: what lies below is denser.</summary>
    public float Slope { get; init; }

    /// <summary>When set, only this many mm below the surface are painted: what lies deeper is covered by the next layer anyway.</summary>
    public float Rind { get; init; } = float.MaxValue;

    public override bool Touches(float depth) => depth >= sections[0].Depth && depth <= sections[^1].Depth;

    /// <summary>The same body with its surface moved inwards by some mm, of another tissue.</summary>
    public Loft Inset(float amount, Tissue other) => new(other, Array.ConvertAll(sections, section => section with { RadiusX = section.RadiusX - amount, RadiusY = section.RadiusY - amount }));

    /// <summary>The same body, of which only the outermost mm are painted.</summary>
    public Loft Layer(float rind) => new(tissue, sections) { Folds = Folds, Slope = Slope, Rind = rind };

    /// <summary>The same body with a folded surface.</summary>
    public Loft WithFolds(float amplitude, float size) => new(tissue, sections) { Folds = (amplitude, size), Slope = Slope, Rind = Rind };

    public Loft Mirrored() => new(tissue, Array.ConvertAll(sections, section => section with { X = -section.X })) { Folds = Folds, Slope = Slope, Rind = Rind };

    public Section At(float depth)
    {
        var next = 1;
        while (next < sections.Length - 1 && sections[next].Depth < depth) next++;
        return Section.Between(sections[next - 1], sections[next], depth);
    }

    /// <summary>Distance of a point from the surface, along the line to the middle.</summary>
    public static float Distance(in Section at, float x, float y)
    {
        var (dx, dy) = (Math.Abs(x - at.X), Math.Abs(y - at.Y));
        var (u, v) = (dx / at.RadiusX, dy / at.RadiusY);
        var (u2, v2) = (u * u, v * v);
        var round = MathF.Sqrt(u2 + v2);
        var square = MathF.Sqrt(MathF.Sqrt((u2 * u2) + (v2 * v2)));
        var f = round + ((square - round) * at.Squareness);
        return f < 1e-3f ? -Math.Min(at.RadiusX, at.RadiusY) : (f - 1) / f * MathF.Sqrt((dx * dx) + (dy * dy));
    }

    public override void Paint(PhantomCanvas canvas, PhantomNoise noise)
    {
        var at = At(canvas.Depth);
        if (at.RadiusX <= 0.3f || at.RadiusY <= 0.3f) return;
        var (firstRow, lastRow) = PhantomCanvas.Cover(at.Y - at.RadiusY - EdgeWidth, at.Y + at.RadiusY + EdgeWidth);
        var (first, last) = PhantomCanvas.Cover(at.X - at.RadiusX - EdgeWidth, at.X + at.RadiusX + EdgeWidth);
        for (var row = firstRow; row <= lastRow; row++)
        {
            var y = PhantomCanvas.PositionOf(row);
            var pixels = canvas.Row(row);
            for (var column = first; column <= last; column++)
            {
                var x = PhantomCanvas.PositionOf(column);
                var distance = Distance(at, x, y);
                if (distance > EdgeWidth || distance < -Rind) continue;
                if (Folds.Amplitude > 0 && distance > -3 * Folds.Amplitude) distance += Folds.Amplitude * MathF.Abs(noise.Smooth(x, y, canvas.Depth, Folds.Size)) * 2;
                var cover = Cover(distance);
                if (cover <= 0) continue;
                var hu = tissue.Hu + (Slope * y);
                if (tissue.Variation > 0) hu += tissue.Variation * noise.Smooth(x, y, canvas.Depth, tissue.Grain);
                pixels[column] += (hu - pixels[column]) * cover;
            }
        }
    }
}

/// <summary>An ellipsoid, turned about the vertical axis.</summary>
internal sealed class Ellipsoid(Tissue tissue, float x, float y, float depth, float radiusX, float radiusY, float radiusZ, float turnDegrees = 0) : PhantomShape
{
    private readonly float _cos = MathF.Cos(turnDegrees * MathF.PI / 180);
    private readonly float _sin = MathF.Sin(turnDegrees * MathF.PI / 180);

    public (float Amplitude, float Size) Folds { get; init; }

    public Ellipsoid Mirrored() => new(tissue, -x, y, depth, radiusX, radiusY, radiusZ, -turnDegrees) { Folds = Folds };

    public Ellipsoid Inset(float amount, Tissue other) => new(other, x, y, depth, radiusX - amount, radiusY - amount, radiusZ - amount, turnDegrees);

    public override bool Touches(float at) => MathF.Abs(at - depth) < radiusZ + EdgeWidth;

    public override void Paint(PhantomCanvas canvas, PhantomNoise noise)
    {
        var w = (canvas.Depth - depth) / radiusZ;
        var reach = Math.Max(radiusX, radiusY) + EdgeWidth;
        var (firstRow, lastRow) = PhantomCanvas.Cover(y - reach, y + reach);
        var (first, last) = PhantomCanvas.Cover(x - reach, x + reach);
        for (var row = firstRow; row <= lastRow; row++)
        {
            var dy = PhantomCanvas.PositionOf(row) - y;
            var pixels = canvas.Row(row);
            for (var column = first; column <= last; column++)
            {
                var dx = PhantomCanvas.PositionOf(column) - x;
                var (u, v) = (((dx * _cos) + (dy * _sin)) / radiusX, ((dy * _cos) - (dx * _sin)) / radiusY);
                var f = MathF.Sqrt((u * u) + (v * v) + (w * w));
                if (f > 1.6f) continue;
                var distance = (f - 1) * Math.Min(radiusX, Math.Min(radiusY, radiusZ));
                if (Folds.Amplitude > 0) distance += Folds.Amplitude * MathF.Abs(noise.Smooth(dx, dy, canvas.Depth, Folds.Size)) * 2;
                var cover = Cover(distance);
                if (cover <= 0) continue;
                var hu = tissue.Hu;
                if (tissue.Variation > 0) hu += tissue.Variation * noise.Smooth(dx, dy, canvas.Depth, tissue.Grain);
                pixels[column] += (hu - pixels[column]) * cover;
            }
        }
    }
}

/// <summary>A stick with round ends whose radius goes from one to another: bones, airways and vessels are chains of them.</summary>
internal sealed class Stick(Tissue tissue, Point from, Point to, float radiusFrom, float radiusTo) : PhantomShape
{
    private readonly float _radius = Math.Max(radiusFrom, radiusTo);

    public Stick Inset(float amount, Tissue other) => new(other, from, to, radiusFrom - amount, radiusTo - amount);

    public override bool Touches(float depth) => depth > Math.Min(from.Depth, to.Depth) - _radius - EdgeWidth && depth < Math.Max(from.Depth, to.Depth) + _radius + EdgeWidth;

    public override void Paint(PhantomCanvas canvas, PhantomNoise noise)
    {
        var (ax, ay, az) = (to.X - from.X, to.Y - from.Y, to.Depth - from.Depth);
        var length2 = (ax * ax) + (ay * ay) + (az * az);
        var pz = canvas.Depth - from.Depth;
        var reach = _radius + EdgeWidth;
        var (firstRow, lastRow) = PhantomCanvas.Cover(Math.Min(from.Y, to.Y) - reach, Math.Max(from.Y, to.Y) + reach);
        var (first, last) = PhantomCanvas.Cover(Math.Min(from.X, to.X) - reach, Math.Max(from.X, to.X) + reach);
        for (var row = firstRow; row <= lastRow; row++)
        {
            var py = PhantomCanvas.PositionOf(row) - from.Y;
            var pixels = canvas.Row(row);
            for (var column = first; column <= last; column++)
            {
                var px = PhantomCanvas.PositionOf(column) - from.X;
                var t = Math.Clamp(((px * ax) + (py * ay) + (pz * az)) / length2, 0, 1);
                var (dx, dy, dz) = (px - (ax * t), py - (ay * t), pz - (az * t));
                var distance2 = (dx * dx) + (dy * dy) + (dz * dz);
                if (distance2 > reach * reach) continue;
                var cover = Cover(MathF.Sqrt(distance2) - (radiusFrom + ((radiusTo - radiusFrom) * t)));
                if (cover <= 0) continue;
                var hu = tissue.Hu;
                if (tissue.Variation > 0) hu += tissue.Variation * noise.Smooth(px, py, canvas.Depth, tissue.Grain);
                pixels[column] += (hu - pixels[column]) * cover;
            }
        }
    }
}

/// <summary>A point of the phantom in mm.</summary>
internal readonly record struct Point(float X, float Y, float Depth);
