using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using ImageApi.Catalog;
using Platform.Dicom;
using Platform.TieredCache;

namespace ImageApi.Origins.Dicomweb;

/// <summary>
/// A series of a DICOMweb server as it was last asked about: a snapshot. Its metadata are a value of the tiered cache; here is where each instance lies in them.
/// </summary>
internal sealed class RemoteSeries
{
    private readonly FrozenDictionary<string, SeriesMember> _members;

    public RemoteSeries(string originName, SeriesRef key, SeriesDescription description, Digest256 metadata, SeriesFacts facts)
    {
        (Key, Description, Metadata, Facts) = (key, description, metadata, facts);
        _members = description.Members.ToFrozenDictionary(member => member.Entry.SopUid, StringComparer.Ordinal);
        InstanceEntry[] entries = [.. description.Members.Select(member => Finish(originName, member, facts.SyntaxOf(member)))];
        var content = ContentOf(entries);
        var geometry = SeriesOrder.Sort(entries);
        Entry = new SeriesEntry(key.StudyUid, key.SeriesUid, description.Modality, description.Number, description.Description, content, entries, geometry);
    }

    public SeriesRef Key { get; }
    public SeriesEntry Entry { get; }
    public SeriesDescription Description { get; }

    /// <summary>SHA-256 of the metadata as the server sent them: names their value in the cache.</summary>
    public Digest256 Metadata { get; }

    public SeriesFacts Facts { get; }

    /// <summary>The catalog's generation at which it had no such series; 0: not looked. A word, so that it is read and written without a lock.</summary>
    public long NotLocalAt { get; set; }

    public bool TryGetMember(string sopUid, [NotNullWhen(true)] out SeriesMember? member) => _members.TryGetValue(sopUid, out member);

    private static InstanceEntry Finish(string originName, SeriesMember member, string syntaxUid)
    {
        var entry = member.Entry;
        // Which native syntax a file has is nothing to its frames: they are sent as raw little endian.
        var version = new OriginVersion($"dicomweb:{member.PixelState}:{syntaxUid}");
        return entry with
        {
            TransferSyntaxUid = syntaxUid,
            Version = version,
            Content = OriginVersion.ContentOf(originName, entry.Item.Path, version.Value),
            PixelLength = syntaxUid.Length == 0 || DicomTransferSyntax.FromUid(syntaxUid).IsEncapsulated ? -1 : member.NativeLength,
        };
    }

    /// <summary>Independent of the display order; changes with any attribute of any instance.</summary>
    private static Digest256 ContentOf(InstanceEntry[] entries)
    {
        var builder = new DigestBuilder(stackalloc byte[1024], "remote-series1"u8);
        foreach (var entry in entries.OrderBy(entry => entry.SopUid, StringComparer.Ordinal))
        {
            builder.Add(entry.SopUid);
            builder.Add(entry.Content);
            builder.Add(entry.HeaderContent);
        }
        return builder.Finish();
    }
}

/// <summary>What was found out of a series beyond its metadata, by looking at what the server sends.</summary>
/// <param name="TransferSyntaxUid">Of its instances, unless <paramref name="Others"/> says otherwise; empty when the server would not show.</param>
/// <param name="Others">Instances that came in another transfer syntax, by SOP Instance UID.</param>
/// <param name="FromInstances">Frames do not come as they should when asked for one by one: they are found in whole instances.</param>
internal sealed record SeriesFacts(string TransferSyntaxUid, IReadOnlyDictionary<string, string> Others, bool FromInstances)
{
    public static SeriesFacts Unknown { get; } = new("", FrozenDictionary<string, string>.Empty, false);

    public bool IsKnown => TransferSyntaxUid.Length > 0;

    public string SyntaxOf(SeriesMember member) => Others.TryGetValue(member.Entry.SopUid, out var other) ? other : member.TransferSyntaxUid ?? TransferSyntaxUid;
}
