namespace Platform.HttpCache.Fields;

internal enum StructuredType
{
    Boolean,
    Integer,
    Decimal,
    String,
    Token,
    ByteSequence,
    InnerList,
}

/// <summary>A member of a structured dictionary; numbers and booleans also as a number (true is 1).</summary>
internal readonly record struct StructuredMember(string Key, StructuredType Type, long Number);

/// <summary>
/// Reads a dictionary of structured fields (RFC 9651 4.2.2) for targeted cache control (RFC 9213), which wants a field that breaks
/// the grammar anywhere to be ignored as a whole. Later members replace earlier ones of the same key; parameters are checked and dropped.
/// </summary>
internal static class StructuredDictionary
{
    private const int MaxMembers = 64;

    public static bool TryParse(string text, out List<StructuredMember> members)
    {
        members = [];
        var reader = new Reader(text);
        reader.SkipSpaces();
        while (!reader.AtEnd)
        {
            if (members.Count >= MaxMembers || !reader.TryReadKey(out var key)) return false;
            var member = new StructuredMember(key, StructuredType.Boolean, 1);
            if (reader.TryTake('='))
            {
                if (!reader.TryReadItemOrInnerList(out var type, out var number)) return false;
                member = new StructuredMember(key, type, number);
            }

            if (!reader.TrySkipParameters()) return false;
            members.RemoveAll(existing => existing.Key == key);
            members.Add(member);
            reader.SkipWhitespace();
            if (reader.AtEnd) return true;
            if (!reader.TryTake(',')) return false;
            reader.SkipWhitespace();
            if (reader.AtEnd) return false;
        }

        return true;
    }

    private ref struct Reader(ReadOnlySpan<char> text)
    {
        private ReadOnlySpan<char> _rest = text;

        public readonly bool AtEnd => _rest.IsEmpty;

        private readonly char Next => _rest.IsEmpty ? '\0' : _rest[0];

        public void SkipSpaces() => _rest = _rest.Trim(' ');

        public void SkipWhitespace() => _rest = _rest.TrimStart(" \t");

        public bool TryTake(char letter)
        {
            if (Next != letter || AtEnd) return false;
            _rest = _rest[1..];
            return true;
        }

        public bool TryReadKey(out string key)
        {
            key = "";
            if (!(char.IsAsciiLetterLower(Next) || Next == '*')) return false;
            var length = 1;
            while (length < _rest.Length && (char.IsAsciiLetterLower(_rest[length]) || char.IsAsciiDigit(_rest[length]) || "_-.*".Contains(_rest[length]))) length++;
            key = _rest[..length].ToString();
            _rest = _rest[length..];
            return true;
        }

        public bool TryReadItemOrInnerList(out StructuredType type, out long number)
        {
            if (Next != '(') return TryReadBareItem(out type, out number);
            (type, number) = (StructuredType.InnerList, 0);
            TryTake('(');
            while (true)
            {
                _rest = _rest.TrimStart(' ');
                if (TryTake(')')) return true;
                if (!TryReadBareItem(out _, out _) || !TrySkipParameters()) return false;
                if (Next is not (' ' or ')')) return false;
            }
        }

        public bool TrySkipParameters()
        {
            while (TryTake(';'))
            {
                _rest = _rest.TrimStart(' ');
                if (!TryReadKey(out _)) return false;
                if (TryTake('=') && !TryReadBareItem(out _, out _)) return false;
            }

            return true;
        }

        private bool TryReadBareItem(out StructuredType type, out long number)
        {
            (type, number) = (StructuredType.Token, 0);
            switch (Next)
            {
                case '"':
                    type = StructuredType.String;
                    return TrySkipString();
                case '?':
                    type = StructuredType.Boolean;
                    if (_rest.Length < 2 || _rest[1] is not ('0' or '1')) return false;
                    number = _rest[1] - '0';
                    _rest = _rest[2..];
                    return true;
                case ':':
                    type = StructuredType.ByteSequence;
                    var end = _rest[1..].IndexOf(':');
                    if (end < 0 || _rest.Slice(1, end).ContainsAnyExcept("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")) return false;
                    _rest = _rest[(end + 2)..];
                    return true;
                case '-' or (>= '0' and <= '9'):
                    return TryReadNumber(out type, out number);
                default:
                    return TrySkipToken();
            }
        }

        private bool TryReadNumber(out StructuredType type, out long number)
        {
            (type, number) = (StructuredType.Integer, 0);
            var isNegative = TryTake('-');
            var digits = 0;
            while (char.IsAsciiDigit(Next))
            {
                if (++digits > 15) return false;
                number = (number * 10) + Next - '0';
                _rest = _rest[1..];
            }

            if (digits == 0) return false;
            if (isNegative) number = -number;
            if (Next != '.') return true;
            type = StructuredType.Decimal;
            TryTake('.');
            var fraction = 0;
            while (char.IsAsciiDigit(Next))
            {
                fraction++;
                _rest = _rest[1..];
            }

            return digits <= 12 && fraction is >= 1 and <= 3;
        }

        private bool TrySkipString()
        {
            for (var i = 1; i < _rest.Length; i++)
            {
                var letter = _rest[i];
                if (letter is < ' ' or > '~') return false;
                if (letter == '"')
                {
                    _rest = _rest[(i + 1)..];
                    return true;
                }

                if (letter == '\\' && (++i >= _rest.Length || _rest[i] is not ('"' or '\\'))) return false;
            }

            return false;
        }

        private bool TrySkipToken()
        {
            if (!(char.IsAsciiLetter(Next) || Next == '*')) return false;
            var length = 1;
            while (length < _rest.Length && (char.IsAsciiLetterOrDigit(_rest[length]) || "!#$%&'*+-.^_`|~:/".Contains(_rest[length]))) length++;
            _rest = _rest[length..];
            return true;
        }
    }
}
