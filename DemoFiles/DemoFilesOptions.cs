using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace DemoFiles;

internal sealed class DemoFilesOptions
{
    public const string SectionName = "DemoFiles";

    /// <summary>What all answers together get of the line, in bits per second; default 40 Mbit/s. At least 100 kbit/s.</summary>
    [Range(100_000, 100_000_000_000)]
    public long BitsPerSecond { get; set; } = 40_000_000;

    /// <summary>The time before an answer begins, default 20 ms.</summary>
    public TimeSpan Latency { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Voxels of the phantom from ear to ear and from front to back, 16 to 512; default 256.</summary>
    [Range(16, 512)]
    public int Columns { get; set; } = 256;

    /// <summary>Slices of the phantom, 16 to 512; default 180.</summary>
    [Range(16, 512)]
    public int Slices { get; set; } = 180;
}

[OptionsValidator]
internal sealed partial class DemoFilesOptionsValidator : IValidateOptions<DemoFilesOptions>;
