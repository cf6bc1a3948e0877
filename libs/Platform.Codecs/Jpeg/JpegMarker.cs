namespace Platform.Codecs.Jpeg;

/// <summary>Marker codes, the second byte after 0xFF (ITU-T T.81 table B.1).</summary>
internal static class JpegMarker
{
    public const byte Sof0 = 0xC0, Sof1 = 0xC1, Sof2 = 0xC2, Sof3 = 0xC3, Dht = 0xC4, Sof15 = 0xCF, Jpg = 0xC8, Dac = 0xCC;
    public const byte Rst0 = 0xD0, Rst7 = 0xD7, Soi = 0xD8, Eoi = 0xD9, Sos = 0xDA, Dqt = 0xDB, Dri = 0xDD;
    public const byte App0 = 0xE0, App14 = 0xEE, Tem = 0x01;
}
