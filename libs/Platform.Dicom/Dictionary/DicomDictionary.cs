namespace Platform.Dicom;

// Placeholder for the first landing: the generated dictionary replaces this file and keeps these members.

/// <summary>The data dictionary (PS3.6, PS3.7): VR and keyword of standard attributes.</summary>
public static class DicomDictionary
{
    /// <summary>
    /// The VR an element has in implicit VR. Of an attribute with a choice: OW for "OB or OW" and "US or OW"; US for "US or SS",
    /// and then <paramref name="isSignedWithPixels"/> is true: it is SS where Pixel Representation (0028,0103) is 1 (PS3.5 A.1).
    /// Group lengths are UL, private creators LO. False for unknown and private attributes, the VR then is UN.
    /// Called once per element of an implicit VR data set: must not allocate.
    /// </summary>
    public static bool TryGetVr(DicomTag tag, out DicomVr vr, out bool isSignedWithPixels)
    {
        isSignedWithPixels = false;
        vr = tag.IsGroupLength ? DicomVr.UL : tag.IsPrivateCreator ? DicomVr.LO : DicomVr.UN;
        return vr != DicomVr.UN;
    }

    /// <summary>The tag of a keyword such as "PatientName"; case counts.</summary>
    public static bool TryGetTag(ReadOnlySpan<char> keyword, out DicomTag tag)
    {
        tag = default;
        return false;
    }

    /// <summary>The keyword of a standard attribute, null where there is none.</summary>
    public static string? GetKeyword(DicomTag tag) => null;
}
