namespace Platform.Nifti.Values;

/// <summary>
/// The range of a volume's values, after slope and intercept. Of complex numbers the magnitude counts, of colours each component (0 to
/// 255, alpha left out). Numbers that are none (NaN, infinities) are left out.
/// </summary>
/// <param name="Min">The least value; 0 where there is none.</param>
/// <param name="Max">The greatest value.</param>
/// <param name="Low">The 2nd percentile: for 8- and 16-bit voxels the exact value at rank floor(0.02 (n - 1)), else within 0.2 % of it, as far as float32 reaches.</param>
/// <param name="High">The 98th percentile, as exact.</param>
/// <param name="Count">Values counted.</param>
/// <param name="NotFinite">Values left out.</param>
public sealed record NiftiValueRange(double Min, double Max, double Low, double High, long Count, long NotFinite);
