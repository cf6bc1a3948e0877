namespace Platform.Imaging;

/// <summary>Writes text into pictures: white letters with a black seam, which are read on any ground.</summary>
public static class TextPainter
{
    /// <summary>Letters are this part of the picture's shorter side high, within what is legible and what is not obtrusive.</summary>
    private const float UnitsPerSide = 330, SmallestUnit = 1.25f, LargestUnit = 8;

    private const float StrokeWidth = 0.75f, SeamWidth = 0.9f;   // in units

    /// <summary>Whether every character of a text has a letter: printable ASCII.</summary>
    public static bool CanWrite(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange(' ', '~');

    /// <summary>
    /// Writes lines from the upper left corner down, or so that the last one stands in the lower left corner. A line that is too long ends in dots; lines
    /// for which there is no room are left out, the last ones first.
    /// </summary>
    /// <param name="picture">Of one or three channels.</param>
    /// <param name="lines">Printable ASCII; other characters leave a gap.</param>
    /// <param name="isAtBottom">At the bottom, else at the top.</param>
    public static void Write(Picture picture, IReadOnlyList<string> lines, bool isAtBottom)
    {
        var unit = Math.Clamp(Math.Min(picture.Width, picture.Height) / UnitsPerSide, SmallestUnit, LargestUnit);
        var margin = 2 * unit;
        var mostLines = (int)((picture.Height - 2 * margin + (StrokeFont.LineHeight - StrokeFont.Ascent - StrokeFont.Descent) * unit) / (StrokeFont.LineHeight * unit));
        var mostLetters = (int)((picture.Width - 2 * margin + 2 * unit) / (StrokeFont.Advance * unit));
        var count = Math.Min(lines.Count, mostLines);
        var top = isAtBottom ? picture.Height - margin - ((count - 1) * StrokeFont.LineHeight + StrokeFont.Ascent + StrokeFont.Descent) * unit : margin;
        for (var i = 0; i < count; i++, top += StrokeFont.LineHeight * unit)
        {
            var line = lines[i].Length <= mostLetters ? lines[i] : mostLetters > 3 ? lines[i][..(mostLetters - 2)] + ".." : "";
            WriteLine(picture, line, margin, top, unit, seam: true);
            WriteLine(picture, line, margin, top, unit, seam: false);
        }
    }

    private static void WriteLine(Picture picture, string line, float left, float top, float unit, bool seam)
    {
        var radius = (StrokeWidth / 2 + (seam ? SeamWidth : 0)) * unit;
        foreach (var letter in line)
        {
            foreach (var stroke in StrokeFont.StrokesOf(letter).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                for (var at = 0; at + 2 <= stroke.Length; at += 2)
                {
                    if (at + 4 > stroke.Length && at > 0) break;
                    var end = Math.Min(at + 2, stroke.Length - 2);
                    DrawSegment(picture, left + (stroke[at] - '0') * unit, top + (stroke[at + 1] - '0') * unit, left + (stroke[end] - '0') * unit, top + (stroke[end + 1] - '0') * unit, radius, seam ? (byte)0 : (byte)255);
                }
            }
            left += StrokeFont.Advance * unit;
        }
    }

    /// <summary>A line with round ends: each pixel as far as the line covers it, told by its distance.</summary>
    private static void DrawSegment(Picture picture, float x0, float y0, float x1, float y1, float radius, byte grey)
    {
        var pixels = picture.Pixels;
        var channels = picture.Channels;
        int fromX = Math.Max(0, (int)(Math.Min(x0, x1) - radius - 1)), toX = Math.Min(picture.Width - 1, (int)(Math.Max(x0, x1) + radius + 1));
        int fromY = Math.Max(0, (int)(Math.Min(y0, y1) - radius - 1)), toY = Math.Min(picture.Height - 1, (int)(Math.Max(y0, y1) + radius + 1));
        float dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
        for (var y = fromY; y <= toY; y++)
        {
            for (var x = fromX; x <= toX; x++)
            {
                float px = x + 0.5f - x0, py = y + 0.5f - y0;
                var along = length > 0 ? Math.Clamp((px * dx + py * dy) / length, 0, 1) : 0;
                float ox = px - along * dx, oy = py - along * dy;
                var cover = Math.Clamp(radius + 0.5f - MathF.Sqrt(ox * ox + oy * oy), 0, 1);
                if (cover <= 0) continue;
                var at = (y * picture.Width + x) * channels;
                for (var i = 0; i < channels; i++) pixels[at + i] = (byte)(pixels[at + i] + (grey - pixels[at + i]) * cover);
            }
        }
    }
}
