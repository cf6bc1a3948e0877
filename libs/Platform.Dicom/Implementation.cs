namespace Platform.Dicom;

/// <summary>How files that this library writes name it (PS3.10 7.1).</summary>
public static class Implementation
{
    /// <summary>Implementation Class UID (0002,0012).</summary>
    public const string ClassUid = "2.25.299957393431145383212917923691440203342";

    /// <summary>Implementation Version Name (0002,0013).</summary>
    public const string VersionName = "PLATFORM_0_1";
}
