namespace ImageApi.Origins;

/// <summary>The configured origins: <c>ImageApi:Origins:&lt;name&gt;:Kind|Path|Url|...</c>. The store is always there and is not listed here.</summary>
internal sealed class OriginsOptions
{
    public const string SectionName = "ImageApi:Origins";

    /// <summary>By name: 1 to 32 ASCII letters, digits, <c>-</c> and <c>_</c>. A name is part of content ids: renaming an origin makes caches cold, no more.</summary>
    public Dictionary<string, OriginOptions> Origins { get; } = new(StringComparer.OrdinalIgnoreCase);
}

/// <summary>One origin. What a kind has no use for is ignored.</summary>
internal sealed class OriginOptions
{
    /// <summary>
    /// What it is: <c>folder</c> (the default; DICOM files that are read and watched, never written), <c>http</c> (a file server),
    /// <c>dicomweb</c> (a PACS), <c>s3</c> (an object store).
    /// </summary>
    public string Kind { get; set; } = OriginKinds.Folder;

    /// <summary>folder: its path; <c>~/</c> stands for the home folder. It may be absent at the start (a mount to come).</summary>
    public string Path { get; set; } = "";

    /// <summary>http, dicomweb: the absolute address that items are appended to. Requests go to this scheme, host and port and nowhere else.</summary>
    public string Url { get; set; } = "";

    /// <summary>http, dicomweb: credentials for HTTP Basic; both or neither.</summary>
    public string Username { get; set; } = "";
    public string Password { get; set; } = "";

    /// <summary>http, dicomweb: sent as <c>Authorization: Bearer</c>. Not together with a user name.</summary>
    public string BearerToken { get; set; } = "";

    /// <summary>http, dicomweb: header fields added to every request, such as an API key.</summary>
    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A file of PEM certificates: https is trusted when its chain ends at one of these, and not by the system's own list then.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>Allows plain http to other machines than this one. Images and credentials can then be read and changed on the way; a warning is logged.</summary>
    public bool AllowPlainHttp { get; set; }

    /// <summary>Addresses (<c>10.1.2.3</c>, <c>10.0.0.0/8</c>, <c>fd00::/8</c>) that may be connected to, checked after the name was resolved. Empty: any.</summary>
    public List<string> AllowedAddresses { get; } = [];

    /// <summary>Requests on their way at once, bodies included. Further ones wait. Default 8.</summary>
    public int MaxConcurrency { get; set; } = 8;

    /// <summary>The time one try may take up to its answer's header, and the longest silence within a body. Default 10 s.</summary>
    public TimeSpan TryTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The time that a request may take up to the answer's header with all its tries, pauses and waiting for its turn. Default 30 s.</summary>
    public TimeSpan TotalTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Further tries of what may be sent twice (GET, HEAD, OPTIONS). Default 2.</summary>
    public int Retries { get; set; } = 2;

    /// <summary>
    /// http, without credentials of ours: passes on the callers' own (<c>Authorization</c>, <c>Cookie</c>), for an origin that judges its users itself. Default no:
    /// what a caller shows us is for us.
    /// </summary>
    public bool PassCredentials { get; set; }

    /// <summary>Unsafe methods (PUT, POST, DELETE and the like) that <c>/files</c> lets through. Default none.</summary>
    public List<string> Methods { get; } = [];

    /// <summary>http: the items that the origin is known to have, where it cannot list them itself.</summary>
    public List<string> Items { get; } = [];

    /// <summary>How long what the origin said is believed.</summary>
    public OriginFreshness Freshness { get; set; } = new();

    /// <summary>s3: bucket, the prefix that items are appended to, region, credentials, and the address of a server that is not AWS.</summary>
    public string Bucket { get; set; } = "";
    public string Prefix { get; set; } = "";
    public string Region { get; set; } = "";
    public string AccessKey { get; set; } = "";
    public string SecretKey { get; set; } = "";
    public string ServiceUrl { get; set; } = "";
}

/// <summary>How long what an origin said is believed. Null: the kind's own default.</summary>
internal sealed class OriginFreshness
{
    /// <summary>Fresh without asking again. Overrides what the origin's answers say.</summary>
    public TimeSpan? Ttl { get; set; }

    /// <summary>After that, served for so long while it is asked again behind the answer's back.</summary>
    public TimeSpan? StaleWhileRevalidate { get; set; }

    /// <summary>Served for so long after it became stale when the origin fails.</summary>
    public TimeSpan? StaleIfError { get; set; }

    /// <summary>How long "there is no such thing" is believed.</summary>
    public TimeSpan? NegativeTtl { get; set; }
}

/// <summary>The kinds of origins by the names that the configuration uses.</summary>
internal static class OriginKinds
{
    public const string Folder = "folder";
    public const string Http = "http";
    public const string Dicomweb = "dicomweb";
    public const string S3 = "s3";
}
