using System.ComponentModel.DataAnnotations;

namespace Platform.TieredCache.S3;

/// <summary>Where the object store is. Section <c>TieredCache:S3</c>; without a bucket there is none.</summary>
public sealed class S3StoreOptions : IValidatableObject
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "TieredCache:S3";

    /// <summary>The bucket; empty: no such tier. Who can write into it can make every node ask its origins again, and no more: values carry digests of their own keys.</summary>
    public string Bucket { get; set; } = "";

    /// <summary>What the names of all objects begin with. Nodes that share values share it.</summary>
    public string Prefix { get; set; } = "platform-cache/";

    /// <summary>The region; may be empty for a server that is not AWS.</summary>
    public string Region { get; set; } = "";

    /// <summary>The address of a server that is not AWS.</summary>
    public string ServiceUrl { get; set; } = "";

    /// <summary>Both or neither. Without them a server that is not AWS is asked without a signature, and AWS with what the machine has (environment, profile, role).</summary>
    public string AccessKey { get; set; } = "";

    /// <summary>See <see cref="AccessKey"/>.</summary>
    public string SecretKey { get; set; } = "";

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Bucket.Length == 0) yield break;
        if (Region.Length == 0 && ServiceUrl.Length == 0) yield return new ValidationResult($"{SectionName}:Region is missing (or :ServiceUrl, for a server that is not AWS).");
        if (ServiceUrl.Length > 0 && !(Uri.TryCreate(ServiceUrl, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))))
            yield return new ValidationResult($"{SectionName}:ServiceUrl has to be an https address; plain http only on this machine.");
        if (AccessKey.Length > 0 != SecretKey.Length > 0) yield return new ValidationResult($"{SectionName}:AccessKey and :SecretKey belong together.");
    }
}
