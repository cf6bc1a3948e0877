using System.Globalization;

namespace ImageApi.Frames;

/// <summary>
/// The frame list of a request (PS3.18 10.4.1.1.6): comma separated frame numbers, the first frame being 1. Order and
/// repetitions are kept: the answer has one part per number asked for.
/// </summary>
internal static class FrameList
{
    /// <summary>More than any object has in practice, and a bound on what one request may ask for.</summary>
    public const int MaxFrames = 65_536;

    /// <summary>
    /// Reads the list. Returns false, with what is wrong in <paramref name="error"/>, for anything but positive or zero
    /// decimal numbers; whether a number names a frame is not decided here, so 0 is read.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out int[] frameNumbers, out string error)
    {
        frameNumbers = [];
        error = "";
        var count = text.Count(',') + 1;
        if (count > MaxFrames)
        {
            error = $"The frame list names more than {MaxFrames} frames.";
            return false;
        }
        var numbers = new int[count];
        var i = 0;
        foreach (var range in text.Split(','))
        {
            var item = text[range].Trim();
            if (item.IsEmpty || item.ContainsAnyExceptInRange('0', '9'))
            {
                error = "The frame list holds something that is not a number.";
                return false;
            }
            // A number beyond 32 bits is a number, of a frame that no object has.
            numbers[i++] = int.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;
        }
        frameNumbers = numbers;
        return true;
    }
}
