namespace ServiceDefaults.Listening;

/// <summary>Where a service may listen.</summary>
public sealed class ListeningOptions
{
    public const string SectionName = "Security";

    /// <summary>
    /// Listen on addresses that other machines can reach although no authentication is configured. Default false: the service
    /// then refuses to start on such an address. Set it only where something in front of the service checks who asks.
    /// </summary>
    public bool ListenBeyondLoopback { get; set; }
}
