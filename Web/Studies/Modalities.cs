namespace Web.Studies;

/// <summary>The modalities that the filter offers: the usual ones of PS3.3 C.7.3.1.1.1, by how often people look for them.</summary>
internal static class Modalities
{
    private static readonly (string Code, string? Name)[] Usual =
    [
        ("CT", "Tomography"), ("MR", "Magnetic resonance"), ("PT", "PET"), ("CR", "Computed radiography"), ("DX", "Digital radiography"),
        ("US", "Ultrasound"), ("MG", "Mammography"), ("XA", "Angiography"), ("RF", "Fluoroscopy"), ("NM", "Nuclear medicine"),
        ("SM", "Slide microscopy"), ("OP", "Ophthalmic photography"), ("OPT", "Ophthalmic tomography"), ("ES", "Endoscopy"),
        ("XC", "Photography"), ("RTSTRUCT", "Structure set"), ("SEG", "Segmentation"), ("SR", "Report"), ("OT", "Other"),
    ];

    /// <summary>The usual ones, and <paramref name="selected"/> before them where it is none of these.</summary>
    public static IEnumerable<(string Code, string? Name)> WithSelected(string? selected) =>
        selected is null || Usual.Any(modality => modality.Code == selected) ? Usual : Usual.Prepend((selected, null));
}
