using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Web.Dicomweb;

/// <summary>Where ImageApi is, for this service and for the browser.</summary>
internal sealed class ImageApiOptions
{
    public const string SectionName = "Web";

    /// <summary>The address under which browsers reach ImageApi; it goes into the pages. Default: the address that this service
    /// was given for it (<c>services:image-api:http:0</c>), else <c>http://localhost:5101</c>.</summary>
    [Required]
    public Uri? PublicImageApi { get; set; }

    /// <summary>Longest wait for an answer of ImageApi, retries included. After it the page says so instead. Default 3 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan ImageApiTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary><see cref="PublicImageApi"/> as an origin: scheme, host and port, without a slash at the end.</summary>
    public string PublicOrigin => PublicImageApi!.GetLeftPart(UriPartial.Authority);
}

[OptionsValidator]
internal sealed partial class ImageApiOptionsValidator : IValidateOptions<ImageApiOptions>;
