namespace Platform.Codecs.Jpeg2000;

/// <summary>Markers of a codestream (T.800 table A.2).</summary>
internal static class J2kMarker
{
    public const int Soc = 0xFF4F, Cap = 0xFF50, Siz = 0xFF51, Cod = 0xFF52, Coc = 0xFF53, Tlm = 0xFF55, Plm = 0xFF57, Plt = 0xFF58;
    public const int Qcd = 0xFF5C, Qcc = 0xFF5D, Rgn = 0xFF5E, Poc = 0xFF5F, Ppm = 0xFF60, Ppt = 0xFF61;
    public const int Sot = 0xFF90, Sop = 0xFF91, Eph = 0xFF92, Sod = 0xFF93, Eoc = 0xFFD9;
}
