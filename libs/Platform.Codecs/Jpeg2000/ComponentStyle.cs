namespace Platform.Codecs.Jpeg2000;

/// <summary>How one component of a tile is coded: COD or COC, QCD or QCC (T.800 A.6).</summary>
internal sealed class ComponentStyle
{
    public const int MaxLevels = 32;

    // Code-block style (T.800 table A.19, T.814 table A.4).
    public const int Bypass = 1, ResetContexts = 2, TerminateAll = 4, VerticallyCausal = 8, PredictableTermination = 16, SegmentationSymbols = 32, HighThroughput = 64, MixedBlocks = 128;

    private readonly byte[] _precincts = new byte[MaxLevels + 1];
    private readonly ushort[] _steps = new ushort[3 * MaxLevels + 1];
    private int _stepCount;

    public int Levels { get; private set; }
    public int BlockWidthExponent { get; private set; }
    public int BlockHeightExponent { get; private set; }
    public int BlockStyle { get; private set; }
    public bool IsReversible { get; private set; }

    /// <summary>0 none, 1 derived, 2 expounded.</summary>
    public int Quantization { get; private set; }

    public int GuardBits { get; private set; }
    public bool HasOwnStyle { get; private set; }
    public bool HasOwnQuantization { get; private set; }

    public void Clear()
    {
        HasOwnStyle = HasOwnQuantization = false;
        _stepCount = 0;
        Levels = -1;
    }

    public void CopyFrom(ComponentStyle other)
    {
        other._precincts.CopyTo(_precincts, 0);
        other._steps.CopyTo(_steps, 0);
        _stepCount = other._stepCount;
        (Levels, BlockWidthExponent, BlockHeightExponent, BlockStyle, IsReversible) = (other.Levels, other.BlockWidthExponent, other.BlockHeightExponent, other.BlockStyle, other.IsReversible);
        (Quantization, GuardBits) = (other.Quantization, other.GuardBits);
        HasOwnStyle = HasOwnQuantization = false;
    }

    public int PrecinctWidthExponent(int resolution) => _precincts[resolution] & 15;

    public int PrecinctHeightExponent(int resolution) => _precincts[resolution] >> 4;

    /// <summary>The parameters from the number of levels on (T.800 table A.20). <paramref name="isOwn"/>: from COC, which COD does not override.</summary>
    public void ReadStyle(ReadOnlySpan<byte> parameters, bool hasPrecincts, bool isOwn, int offset)
    {
        if (HasOwnStyle && !isOwn) return;
        if (parameters.Length < 5) throw new InvalidFrameException("The coding style is cut off.", offset);
        Levels = parameters[0];
        BlockWidthExponent = parameters[1] + 2;
        BlockHeightExponent = parameters[2] + 2;
        BlockStyle = parameters[3];
        IsReversible = parameters[4] == 1;
        HasOwnStyle = isOwn;
        if (Levels > MaxLevels || BlockWidthExponent > 10 || BlockHeightExponent > 10 || BlockWidthExponent + BlockHeightExponent > 12 || parameters[4] > 1)
            throw new InvalidFrameException("The coding style is out of range.", offset);
        if ((BlockStyle & MixedBlocks) != 0 || ((BlockStyle & HighThroughput) != 0 && (BlockStyle & ~(HighThroughput | VerticallyCausal)) != 0))
            throw new InvalidFrameException($"Code-block style 0x{BlockStyle:X2} is not supported.", offset);
        if (!hasPrecincts)
        {
            _precincts.AsSpan().Fill(0xFF);
            return;
        }
        if (parameters.Length < 6 + Levels) throw new InvalidFrameException("The precinct sizes are cut off.", offset);
        parameters.Slice(5, Levels + 1).CopyTo(_precincts);
        for (var r = 1; r <= Levels; r++)
        {
            if (PrecinctWidthExponent(r) == 0 || PrecinctHeightExponent(r) == 0) throw new InvalidFrameException("A precinct has no size.", offset);
        }
    }

    /// <summary>The parameters of QCD or QCC from the style on (T.800 table A.27).</summary>
    public void ReadQuantization(ReadOnlySpan<byte> parameters, bool isOwn, int offset)
    {
        if (HasOwnQuantization && !isOwn) return;
        if (parameters.Length < 2) throw new InvalidFrameException("The quantization is cut off.", offset);
        Quantization = parameters[0] & 31;
        GuardBits = parameters[0] >> 5;
        HasOwnQuantization = isOwn;
        var size = Quantization == 0 ? 1 : 2;
        if (Quantization > 2 || parameters.Length < 1 + size) throw new InvalidFrameException("The quantization is out of range.", offset);
        _stepCount = Quantization == 1 ? 1 : Math.Min((parameters.Length - 1) / size, _steps.Length);
        for (var i = 0; i < _stepCount; i++)
        {
            _steps[i] = size == 1 ? (ushort)(parameters[1 + i] >> 3 << 11) : (ushort)(parameters[1 + 2 * i] << 8 | parameters[2 + 2 * i]);
        }
    }

    /// <summary>Throws unless COD and QCD, or their kin, have said all that decoding needs.</summary>
    public void CheckComplete(int offset)
    {
        if (Levels < 0) throw new InvalidFrameException("The stream does not say how it is coded (COD).", offset);
        if (_stepCount == 0 || (Quantization != 1 && _stepCount < 3 * Levels + 1)) throw new InvalidFrameException("The stream does not say how all of its bands are quantized (QCD).", offset);
        if (IsReversible != (Quantization == 0)) throw new InvalidFrameException("The quantization does not fit the wavelet.", offset);
    }

    /// <summary>The exponent and mantissa of a band (T.800 E.1.1). <paramref name="band"/>: 0 for LL, 3r - 2, 3r - 1, 3r for HL, LH, HH of resolution r.</summary>
    public (int Exponent, int Mantissa) StepOf(int band)
    {
        var step = _steps[Quantization == 1 ? 0 : band];
        var exponent = step >> 11;
        if (Quantization == 1 && band > 0) exponent -= (band - 1) / 3; // equation E-5: one less for each level below the deepest
        return (exponent, step & 0x7FF);
    }
}
