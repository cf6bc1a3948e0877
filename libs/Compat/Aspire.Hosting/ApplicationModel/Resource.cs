using System.Text.RegularExpressions;

namespace Aspire.Hosting.ApplicationModel;

public abstract partial class Resource : IResource
{
    /// <param name="name">1-64 ASCII letters, digits and single hyphens, starting with a letter.</param>
    /// <exception cref="ArgumentException">The name breaks the rule.</exception>
    protected Resource(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Length > 64 || !ValidName().IsMatch(name))
        {
            throw new ArgumentException($"Resource name '{name}' is invalid: 1-64 ASCII letters, digits and single hyphens, starting with a letter and not ending with a hyphen.", nameof(name));
        }
        Name = name;
    }

    public virtual string Name { get; }

    public virtual ResourceAnnotationCollection Annotations { get; } = [];

    [GeneratedRegex(@"\A[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*\z")]
    private static partial Regex ValidName();
}

public class ProjectResource(string name) : Resource(name), IResourceWithEnvironment, IResourceWithServiceDiscovery, IResourceWithWaitSupport;

public class ContainerResource(string name, string? entrypoint = null) : Resource(name), IResourceWithEnvironment, IResourceWithEndpoints, IResourceWithWaitSupport
{
    public string? Entrypoint { get; set; } = entrypoint;
}

/// <summary>A value that the host reads or makes; the only one here is the password of a Redis resource.</summary>
public class ParameterResource : Resource
{
    private readonly string _value;

    internal ParameterResource(string name, string value, bool secret)
        : base(name)
    {
        _value = value;
        Secret = secret;
    }

    public bool Secret { get; }

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken) => new(_value);
}

public class RedisResource : ContainerResource, IResourceWithConnectionString
{
    internal const string EndpointName = "tcp";

    public RedisResource(string name, ParameterResource password)
        : base(name)
    {
        PasswordParameter = password;
        PrimaryEndpoint = new EndpointReference(this, EndpointName);
    }

    public ParameterResource? PasswordParameter { get; private set; }

    public EndpointReference PrimaryEndpoint { get; }

    /// <summary>Set when no server is to be had on this machine: its consumers then start without it.</summary>
    internal bool IsLeftOut { get; set; }

    public async ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) =>
        IsLeftOut ? null : $"{PrimaryEndpoint.Host}:{PrimaryEndpoint.Port},password={await PasswordParameter!.GetValueAsync(cancellationToken)}";
}
