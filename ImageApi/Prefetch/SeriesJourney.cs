using System.Collections;
using ImageApi.Catalog;

namespace ImageApi.Prefetch;

/// <summary>
/// Where people are in a series, and what they will want next: the frames in the direction of scrolling, then those on both sides, outward. Positions count frames in
/// display order. Not thread-safe.
/// </summary>
internal sealed class SeriesJourney
{
    private readonly int _ahead;
    private readonly int[] _starts;      // the position of each instance's first frame, and their number at the end
    private readonly BitArray _done;
    private int _current;
    private int _direction = 1;
    private int _step = 1;               // how far the search for what is next has come, so that it goes over nothing twice
    private bool _isSpread, _hasMoved;

    /// <param name="series">As the catalog has it now.</param>
    /// <param name="ahead">Frames wanted in the direction of scrolling before those on both sides.</param>
    public SeriesJourney(SeriesEntry series, int ahead)
    {
        Series = series;
        _ahead = ahead;
        _starts = new int[series.Instances.Count + 1];
        for (var i = 0; i < series.Instances.Count; i++) _starts[i + 1] = _starts[i] + series.Instances[i].FrameCount;
        _done = new BitArray(_starts[^1]);
    }

    public SeriesEntry Series { get; }

    public int FrameCount => _done.Count;

    /// <summary>The position of a frame; null when the series does not have it.</summary>
    public int? PositionOf(string sopUid, int frameIndex)
    {
        for (var i = 0; i < Series.Instances.Count; i++)
        {
            if (Series.Instances[i].SopUid == sopUid) return frameIndex < Series.Instances[i].FrameCount ? _starts[i] + frameIndex : null;
        }
        return null;
    }

    /// <summary>Somebody is at this position, and is getting the frame or will ask for it at once.</summary>
    public void MoveTo(int position, bool hasFrame)
    {
        if (position != _current && _hasMoved) _direction = position > _current ? 1 : -1;
        _current = position;
        _hasMoved = true;
        if (hasFrame) _done[position] = true;
        (_step, _isSpread) = (1, false);
    }

    /// <summary>The next frame that is wanted and was not given out yet; null when there is none.</summary>
    public (InstanceEntry Instance, int FrameIndex, int Position)? Next()
    {
        if (FrameCount == 0) return null;
        if (!_done[_current]) return Take(_current);
        for (; !_isSpread; _step++)
        {
            if (_step > _ahead)
            {
                (_isSpread, _step) = (true, 1);
                break;
            }
            if (IsWanted(_current + (_direction * _step))) return Take(_current + (_direction * _step));
        }
        for (; _step < FrameCount; _step++)
        {
            if (IsWanted(_current + (_direction * _step))) return Take(_current + (_direction * _step));
            if (IsWanted(_current - (_direction * _step))) return Take(_current - (_direction * _step));
        }
        return null;
    }

    /// <summary>A frame that was given out did not come: it is wanted again.</summary>
    public void Return(int position)
    {
        _done[position] = false;
        (_step, _isSpread) = (1, false);
    }

    private bool IsWanted(int position) => position >= 0 && position < FrameCount && !_done[position];

    private (InstanceEntry, int, int) Take(int position)
    {
        _done[position] = true;
        var i = Array.BinarySearch(_starts, position);
        if (i < 0) i = ~i - 1;
        while (_starts[i + 1] == position) i++;   // instances without frames begin where the next one does
        return (Series.Instances[i], position - _starts[i], position);
    }
}
