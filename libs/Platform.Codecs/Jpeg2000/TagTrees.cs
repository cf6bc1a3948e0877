namespace Platform.Codecs.Jpeg2000;

/// <summary>The tag trees of a tile (T.800 B.10.2), all in one list: a tree is the index of its first node.</summary>
internal sealed class TagTrees
{
    private struct Node
    {
        public int Parent;  // -1 for the root
        public int Low;     // the value is at least this
        public int Value;   // for encoding; for decoding known once Low <= Value no longer rises
        public bool IsKnown;
    }

    private readonly StructList<Node> _nodes = new();

    public void Clear() => _nodes.Clear();

    public void Trim() => _nodes.Trim(1 << 14);

    /// <summary>Adds a tree over a grid of leaves, row by row.</summary>
    public int Add(int columns, int rows)
    {
        var tree = _nodes.Count;
        var first = tree;
        while (true)
        {
            _nodes.Add(columns * rows);
            var above = _nodes.Count;
            int parentColumns = (columns + 1) >> 1, parentRows = (rows + 1) >> 1;
            var isRoot = columns * rows == 1;
            for (var row = 0; row < rows; row++)
            {
                for (var column = 0; column < columns; column++)
                {
                    _nodes[first + row * columns + column].Parent = isRoot ? -1 : above + (row >> 1) * parentColumns + (column >> 1);
                }
            }
            if (isRoot) return tree;
            (first, columns, rows) = (above, parentColumns, parentRows);
        }
    }

    /// <summary>Reads bits until it is known whether a leaf's value is below a threshold.</summary>
    public bool IsBelow(ref PacketBits bits, int tree, int leaf, int threshold)
    {
        Span<int> path = stackalloc int[32];
        var depth = 0;
        for (var node = tree + leaf; node >= 0; node = _nodes[node].Parent) path[depth++] = node;
        var low = 0;
        while (depth > 0)
        {
            ref var node = ref _nodes[path[--depth]];
            if (node.Low < low) node.Low = low;
            while (!node.IsKnown && node.Low < threshold)
            {
                if (bits.Read() != 0) node.IsKnown = true;
                else node.Low++;
            }
            low = node.Low;
        }
        ref var last = ref _nodes[tree + leaf];
        return last.IsKnown && last.Low < threshold;
    }

    /// <summary>Sets a leaf's value before encoding; every ancestor takes the least of its leaves.</summary>
    public void Set(int tree, int leaf, int value)
    {
        for (var node = tree + leaf; node >= 0; node = _nodes[node].Parent)
        {
            ref var n = ref _nodes[node];
            if (n.IsKnown && n.Value <= value) return; // while encoding, known says that a value was set
            (n.Value, n.IsKnown) = (value, true);
        }
    }

    /// <summary>Writes the bits that tell whether a leaf's value is below a threshold.</summary>
    public void Write(ref PacketBitWriter bits, int tree, int leaf, int threshold)
    {
        Span<int> path = stackalloc int[32];
        var depth = 0;
        for (var node = tree + leaf; node >= 0; node = _nodes[node].Parent) path[depth++] = node;
        var low = 0;
        while (depth > 0)
        {
            ref var node = ref _nodes[path[--depth]];
            if (node.Low < low) node.Low = low;
            while (node.Low < threshold)
            {
                if (node.Low >= node.Value)
                {
                    if (node.IsKnown) bits.Write(1, 1);
                    node.IsKnown = false; // said
                    break;
                }
                bits.Write(0, 1);
                node.Low++;
            }
            low = node.Low;
        }
    }
}
