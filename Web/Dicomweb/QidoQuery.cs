using System.Text;

namespace Web.Dicomweb;

/// <summary>A query string of QIDO-RS, every value percent-encoded. Starts with <c>?</c>, or is empty.</summary>
internal sealed class QidoQuery
{
    private readonly StringBuilder _query = new();

    public QidoQuery With(string key, string value)
    {
        _query.Append(_query.Length == 0 ? '?' : '&').Append(key).Append('=').Append(Uri.EscapeDataString(value));
        return this;
    }

    public override string ToString() => _query.ToString();
}
