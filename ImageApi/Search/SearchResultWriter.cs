using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ImageApi.Catalog;

namespace ImageApi.Search;

/// <summary>
/// Writes catalog rows as a DICOM JSON array (PS3.18 F.2). A row's levels are merged into one object in ascending order of
/// tags by copying their bytes; nothing is decoded. Not thread safe; one writer per answer.
/// </summary>
internal sealed class SearchResultWriter(IBufferWriter<byte> to, CatalogLevel level, IReadOnlySet<string>? attributes)
{
    private static readonly byte[] Online = """{"vr":"CS","Value":["ONLINE"]}"""u8.ToArray();
    private readonly List<(uint Tag, ReadOnlyMemory<byte> Value)> _members = new(48);
    private readonly HashSet<uint>? _tags = attributes is null ? null : [.. attributes.Select(ParseTag)];
    private bool _hasRows;

    /// <summary>The attributes of a level, those above it that a search across studies or series returns, and what the client named.</summary>
    public static HashSet<string> AttributesOf(CatalogLevel level, CatalogLevel top, IReadOnlySet<string> included)
    {
        var attributes = new HashSet<string>(included, StringComparer.Ordinal);
        for (var each = top; each <= level; each++)
            attributes.UnionWith(SearchKeys.Returned(each));
        return attributes;
    }

    public void Begin() => to.Write("["u8);

    public void Write(CatalogRow row)
    {
        to.Write(_hasRows ? ",{"u8 : "{"u8);
        _hasRows = true;
        _members.Clear();
        Collect(row.InstanceJson);
        Collect(row.SeriesJson);
        Collect(row.StudyJson);
        Add(0x00080056, Online);
        Add(0x00081190, RetrieveUrl(row));
        // Stable for equal tags: the lowest level was collected first.
        var ordered = CollectionsMarshal.AsSpan(_members);
        var order = new int[ordered.Length];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        Array.Sort(order, Compare);
        var last = -1;
        foreach (var index in order)
        {
            var (tag, value) = _members[index];
            if (last >= 0 && _members[last].Tag == tag)
                continue;
            WriteName(tag, isFirst: last < 0);
            to.Write(value.Span);
            last = index;
        }
        to.Write("}"u8);
    }

    public void End() => to.Write("]"u8);

    private int Compare(int x, int y)
    {
        var byTag = _members[x].Tag.CompareTo(_members[y].Tag);
        return byTag != 0 ? byTag : x.CompareTo(y);
    }

    private void Collect(ReadOnlyMemory<byte> json)
    {
        if (json.IsEmpty)
            return;
        var reader = new Utf8JsonReader(json.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var tag = Convert.ToUInt32(Encoding.ASCII.GetString(reader.ValueSpan), 16);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (_tags is null || _tags.Contains(tag))
                _members.Add((tag, json[start..(int)reader.BytesConsumed]));
        }
    }

    private void Add(uint tag, byte[] value)
    {
        if (_tags is null || _tags.Contains(tag))
            _members.Add((tag, value));
    }

    private void WriteName(uint tag, bool isFirst)
    {
        var span = to.GetSpan(12);
        var at = 0;
        if (!isFirst)
            span[at++] = (byte)',';
        span[at++] = (byte)'"';
        tag.TryFormat(span[at..], out var written, "X8");
        at += written;
        span[at++] = (byte)'"';
        span[at++] = (byte)':';
        to.Advance(at);
    }

    // UIDs are digits and dots: nothing to escape. A path without a host: the answer is the same whatever name the server is called by.
    private byte[] RetrieveUrl(CatalogRow row) => Encoding.ASCII.GetBytes(level switch
    {
        CatalogLevel.Study => $$"""{"vr":"UR","Value":["/dicomweb/studies/{{row.StudyUid}}"]}""",
        CatalogLevel.Series => $$"""{"vr":"UR","Value":["/dicomweb/studies/{{row.StudyUid}}/series/{{row.SeriesUid}}"]}""",
        _ => $$"""{"vr":"UR","Value":["/dicomweb/studies/{{row.StudyUid}}/series/{{row.SeriesUid}}/instances/{{row.SopUid}}"]}""",
    });

    private static uint ParseTag(string key) => Convert.ToUInt32(key, 16);
}
