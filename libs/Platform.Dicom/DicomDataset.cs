using System.Collections;
using System.Globalization;
using Platform.Dicom.Parsing;

namespace Platform.Dicom;

/// <summary>
/// Data elements in the order of their tags: of a file (a view of its bytes, decoded when asked for) or made in memory. A tag that a broken
/// file holds twice counts once, the first time. Reading from several threads is safe, changing is not. Of a file it is valid
/// until the <see cref="DicomFile"/> is disposed; using it later throws <see cref="ObjectDisposedException"/>.
/// </summary>
public sealed class DicomDataset : IEnumerable<DicomElement>
{
    // Read from a file: entries [_first, _end) of the table. _order holds those of this level by tag, made on the first look-up.
    private readonly int _first, _end;
    private int[]? _order;
    private DicomDataset[]?[]? _items;

    // Made or changed in memory: everything, by tag. A slot is either an entry of the table or a stored element.
    private List<Slot>? _slots;

    private DicomDataset? _parent;
    private DicomEncoding? _encoding;

    private readonly record struct Slot(DicomTag Tag, int Index, StoredElement? Stored);

    /// <summary>An empty data set in memory.</summary>
    public DicomDataset() => _slots = [];

    internal DicomDataset(ElementTable table, int first, int end, DicomDataset? parent)
    {
        Table = table;
        _first = first;
        _end = end;
        _parent = parent;
    }

    internal ElementTable? Table { get; }

    /// <summary>Number of elements at this level.</summary>
    public int Count => _slots?.Count ?? Order.Length;

    /// <summary>
    /// The character set of this data set's text: Specific Character Set (0008,0005), else that of the data set that this is an item of,
    /// else the default repertoire (PS3.5 7.5.3).
    /// </summary>
    public DicomEncoding Encoding => _encoding ??= TryGetElement(DicomTags.SpecificCharacterSet, out var element)
        ? DicomEncoding.FromSpecificCharacterSet(element.Span)
        : _parent?.Encoding ?? DicomEncoding.Default;

    /// <summary>The item's data set it is part of, null at the top level.</summary>
    public DicomDataset? Parent => _parent;

    public bool Contains(DicomTag tag) => TryGetElement(tag, out _);

    public bool TryGetElement(DicomTag tag, out DicomElement element)
    {
        if (_slots is { } slots)
        {
            var at = FindSlot(tag);
            element = at >= 0 ? ElementOf(slots[at]) : default;
            return at >= 0;
        }
        var order = Order;
        var entries = Table!.Entries;
        int low = 0, high = order.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            var other = entries[order[middle]].Tag;
            if (other == tag.Value)
            {
                element = new DicomElement(this, order[middle]);
                return true;
            }
            if (other < tag.Value) low = middle + 1;
            else high = middle - 1;
        }
        element = default;
        return false;
    }

    /// <summary>The value at <paramref name="index"/> as text; null where there is none or it is empty. See <see cref="DicomElement.GetString"/>.</summary>
    public string? GetString(DicomTag tag, int index = 0) => TryGetElement(tag, out var element) ? element.GetString(index) : null;

    /// <summary>All values as text; empty where there are none.</summary>
    public string[] GetStrings(DicomTag tag) => TryGetElement(tag, out var element) ? element.GetStrings() : [];

    /// <summary>The value at <paramref name="index"/> as a whole number; null where there is none.</summary>
    public int? GetInt32(DicomTag tag, int index = 0) => TryGetElement(tag, out var element) ? element.GetInt32(index) : null;

    /// <inheritdoc cref="GetInt32"/>
    public long? GetInt64(DicomTag tag, int index = 0) => TryGetElement(tag, out var element) ? element.GetInt64(index) : null;

    /// <summary>The value at <paramref name="index"/> as a number; null where there is none.</summary>
    public double? GetDouble(DicomTag tag, int index = 0) => TryGetElement(tag, out var element) ? element.GetDouble(index) : null;

    /// <summary>All values as numbers; empty where there are none or any is no number.</summary>
    public double[] GetDoubles(DicomTag tag) => TryGetElement(tag, out var element) ? element.GetDoubles() : [];

    /// <summary>The items of a sequence; empty where there are none.</summary>
    public IReadOnlyList<DicomDataset> GetItems(DicomTag tag) => TryGetElement(tag, out var element) ? element.Items : [];

    /// <summary>The first item of a sequence, null where there is none.</summary>
    public DicomDataset? GetItem(DicomTag tag) => GetItems(tag) is [var first, ..] ? first : null;

    /// <summary>Sets text, with the dictionary's VR.</summary>
    public DicomDataset Set(DicomTag tag, params ReadOnlySpan<string> values) => Set(tag, DictionaryVr(tag), values);

    /// <summary>Sets a whole number, with the dictionary's VR.</summary>
    public DicomDataset Set(DicomTag tag, int value) => Set(tag, DictionaryVr(tag), (long)value);   // without it a literal 0 could be a DicomVr

    /// <summary>Sets whole numbers, with the dictionary's VR.</summary>
    public DicomDataset Set(DicomTag tag, params ReadOnlySpan<long> values) => Set(tag, DictionaryVr(tag), values);

    /// <summary>Sets numbers, with the dictionary's VR.</summary>
    public DicomDataset Set(DicomTag tag, params ReadOnlySpan<double> values) => Set(tag, DictionaryVr(tag), values);

    /// <summary>Sets a sequence. Each item's data set becomes part of this one.</summary>
    public DicomDataset Set(DicomTag tag, params ReadOnlySpan<DicomDataset> items)
    {
        foreach (var item in items)
        {
            if (item._parent is not null && item._parent != this) throw new ArgumentException("The data set is an item of another one already.", nameof(items));
            for (var ancestor = this; ancestor is not null; ancestor = ancestor._parent)
            {
                if (ancestor == item) throw new ArgumentException("A data set cannot be an item of itself.", nameof(items));
            }
            item._parent = this;
        }
        return Store(new StoredElement { Tag = tag, Vr = DicomVr.SQ, Items = items.ToArray() });
    }

    /// <summary>Sets an element without a value.</summary>
    public DicomDataset SetEmpty(DicomTag tag, DicomVr vr) =>
        Store(new StoredElement { Tag = tag, Vr = vr, Items = vr == DicomVr.SQ ? [] : null });

    /// <summary>
    /// Sets text (or numbers given as text), in the character set in force: set Specific Character Set (0008,0005) first, and a sequence
    /// into its parent before text is set into its items. Throws <see cref="ArgumentException"/> for text the character set lacks,
    /// for a backslash in a multi-valued VR, and for text that is no number where the VR is binary.
    /// </summary>
    public DicomDataset Set(DicomTag tag, DicomVr vr, params ReadOnlySpan<string> values) => Store(new StoredElement { Tag = tag, Vr = vr, Value = ValueEncoder.Encode(values, vr, Encoding) });

    /// <summary>Sets whole numbers: binary, or as text for DS, IS and other text VRs. <see cref="ArgumentException"/> when one is out of the VR's range.</summary>
    public DicomDataset Set(DicomTag tag, DicomVr vr, params ReadOnlySpan<long> values) => Store(new StoredElement { Tag = tag, Vr = vr, Value = ValueEncoder.Encode(values, vr) });

    /// <summary>Sets numbers: binary, or as text for DS (at most 16 characters, PS3.5 6.2).</summary>
    public DicomDataset Set(DicomTag tag, DicomVr vr, params ReadOnlySpan<double> values) => Store(new StoredElement { Tag = tag, Vr = vr, Value = ValueEncoder.Encode(values, vr) });

    /// <summary>Sets tags, VR AT.</summary>
    public DicomDataset Set(DicomTag tag, params ReadOnlySpan<DicomTag> values) => Store(new StoredElement { Tag = tag, Vr = DicomVr.AT, Value = ValueEncoder.Encode(values) });

    /// <summary>Sets a value's bytes as they are, little endian; the memory is kept, not copied. An odd length is padded when written.</summary>
    public DicomDataset Set(DicomTag tag, DicomVr vr, ReadOnlyMemory<byte> value) => Store(new StoredElement { Tag = tag, Vr = vr, Value = value });

    /// <summary>
    /// Sets encapsulated pixel data, VR OB: <paramref name="fragments"/> begin with the basic offset table, which may be empty (PS3.5 A.4).
    /// The memory is kept, not copied.
    /// </summary>
    public DicomDataset SetFragments(DicomTag tag, IReadOnlyList<ReadOnlyMemory<byte>> fragments) =>
        Store(new StoredElement { Tag = tag, Vr = DicomVr.OB, Fragments = fragments });

    /// <summary>Removes an element; false where there was none.</summary>
    public bool Remove(DicomTag tag)
    {
        BecomeMutable();
        var at = FindSlot(tag);
        if (at < 0) return false;
        _slots!.RemoveAt(at);
        if (tag == DicomTags.SpecificCharacterSet) _encoding = null;
        return true;
    }

    /// <summary>The elements of this level by tag.</summary>
    public Enumerator GetEnumerator() => new(this);

    IEnumerator<DicomElement> IEnumerable<DicomElement>.GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return ElementAt(i);
    }

    IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable<DicomElement>)this).GetEnumerator();

    /// <summary>Enumerates without allocating.</summary>
    public struct Enumerator
    {
        private readonly DicomDataset _dataset;
        private int _at;

        internal Enumerator(DicomDataset dataset)
        {
            _dataset = dataset;
            _at = -1;
        }

        public readonly DicomElement Current => _dataset.ElementAt(_at);
        public bool MoveNext() => ++_at < _dataset.Count;
    }

    /// <summary>Whether this level or an item below it was changed since it was read, or was never in a file.</summary>
    internal bool IsChanged
    {
        get
        {
            if (_slots is not null) return true;
            return _items is not null && _items.Any(items => items is not null && items.Any(item => item.IsChanged));
        }
    }

    internal bool HasChangedItems(int index) => _items?[index - _first] is { } items && items.Any(item => item.IsChanged);

    internal IReadOnlyList<DicomDataset> ItemsOf(int index)
    {
        ref readonly var sequence = ref Table![index];
        if (sequence.Vr != DicomVr.SQ || sequence.End == index + 1) return [];
        lock (Table)
        {
            // Kept, so that an item that is changed stays changed.
            _items ??= new DicomDataset[]?[_end - _first];
            if (_items[index - _first] is { } known) return known;
            var items = new List<DicomDataset>();
            for (var at = index + 1; at < sequence.End; at = Table[at].End) items.Add(new DicomDataset(Table, at + 1, Table[at].End, this));
            return _items[index - _first] = [.. items];
        }
    }

    internal IReadOnlyList<ReadOnlyMemory<byte>> FragmentsOf(int index)
    {
        ref readonly var element = ref Table![index];
        if (!element.Has(EntryFlags.UndefinedLength) || element.Vr == DicomVr.SQ) return [];
        var fragments = new List<ReadOnlyMemory<byte>>();
        for (var at = index + 1; at < element.End; at = Table[at].End) fragments.Add(Table.Bytes.Slice(Table[at].Position, (int)Table[at].Length));
        return fragments;
    }

    private DicomElement ElementAt(int at) => _slots is { } slots ? ElementOf(slots[at]) : new DicomElement(this, Order[at]);

    private DicomElement ElementOf(Slot slot) => slot.Stored is { } stored ? new DicomElement(this, stored) : new DicomElement(this, slot.Index);

    private int[] Order => _order ??= MakeOrder();

    private int[] MakeOrder()
    {
        var entries = Table!.Entries;
        var count = 0;
        for (var at = _first; at < _end; at = entries[at].End) count++;
        var order = new int[count];
        var isSorted = true;
        uint last = 0;
        for (int at = _first, i = 0; at < _end; at = entries[at].End, i++)
        {
            order[i] = at;
            isSorted &= i == 0 || entries[at].Tag > last;
            last = entries[at].Tag;
        }
        return isSorted ? order : SortAndDistinct(order);
    }

    private int[] SortAndDistinct(int[] order) =>
        [.. order.OrderBy(at => Table![at].Tag).ThenBy(at => at).DistinctBy(at => Table![at].Tag)];

    private void BecomeMutable()
    {
        if (_slots is not null) return;
        var slots = new List<Slot>(Order.Length + 4);
        foreach (var index in Order) slots.Add(new Slot(new DicomTag(Table![index].Tag), index, null));
        _slots = slots;
    }

    private int FindSlot(DicomTag tag)
    {
        int low = 0, high = _slots!.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            var other = _slots[middle].Tag;
            if (other == tag) return middle;
            if (other < tag) low = middle + 1;
            else high = middle - 1;
        }
        return ~low;
    }

    private DicomDataset Store(StoredElement element)
    {
        BecomeMutable();
        var at = FindSlot(element.Tag);
        var slot = new Slot(element.Tag, -1, element);
        if (at >= 0) _slots![at] = slot;
        else if (~at == _slots!.Count) _slots.Add(slot);
        else _slots.Insert(~at, slot);
        if (element.Tag == DicomTags.SpecificCharacterSet) _encoding = null;
        return this;
    }

    private static DicomVr DictionaryVr(DicomTag tag) => DicomDictionary.TryGetVr(tag, out var vr, out _)
        ? vr
        : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The dictionary has no {tag}: give its VR."), nameof(tag));
}
