using System.Net.Sockets;
using System.Text;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public static class ResourceBuilderExtensions
{
    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, string name)
        where T : IResourceWithEndpoints => new(builder.Resource, name);

    /// <summary>Gives the consumer <c>ConnectionStrings__name</c> and NAME_HOST, NAME_PORT, NAME_PASSWORD, NAME_URI; nothing when the resource is left out of this run.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null, bool optional = false)
        where TDestination : IResourceWithEnvironment
    {
        var name = connectionName ?? source.Resource.Name;
        return builder.WithAnnotation(new ReferenceAnnotation(source.Resource)).WithVariables(async (environment, cancellationToken) =>
        {
            if (await source.Resource.GetConnectionStringAsync(cancellationToken) is not { } connectionString)
            {
                return;
            }
            environment[$"ConnectionStrings__{name}"] = connectionString;
            if (source.Resource is RedisResource { PasswordParameter: { } parameter } redis)
            {
                var endpoint = redis.PrimaryEndpoint;
                var password = await parameter.GetValueAsync(cancellationToken);
                environment[$"{VariableName(name)}_HOST"] = endpoint.Host;
                environment[$"{VariableName(name)}_PORT"] = $"{endpoint.Port}";
                environment[$"{VariableName(name)}_PASSWORD"] = password!;
                environment[$"{VariableName(name)}_URI"] = $"redis://:{password}@{endpoint.Host}:{endpoint.Port}";
            }
        });
    }

    /// <summary>Gives the consumer <c>services__name__scheme__n</c> and NAME_ENDPOINT for each endpoint of <paramref name="source"/>.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithServiceDiscovery> source)
        where TDestination : IResourceWithEnvironment =>
        builder.WithAnnotation(new ReferenceAnnotation(source.Resource)).WithVariables((environment, _) =>
        {
            var name = source.Resource.Name;
            var counts = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
            foreach (var endpoint in source.Resource.Annotations.OfType<EndpointAnnotation>())
            {
                var key = endpoint.Name is "http" or "https" ? endpoint.UriScheme : endpoint.Name;
                var index = counts[key] = counts.GetValueOrDefault(key, -1) + 1;
                var url = source.GetEndpoint(endpoint.Name).Url;
                environment[$"services__{name}__{key}__{index}"] = url;
                environment[$"{VariableName(name)}_{VariableName(endpoint.Name)}"] = url;
            }
            return ValueTask.CompletedTask;
        });

    /// <summary>Starts the consumer when the dependency runs and, if it has health checks, is healthy. A resource left out of this run is not waited for.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport
    {
        if (ReferenceEquals(builder.Resource, dependency.Resource))
        {
            throw new DistributedApplicationException($"The resource '{builder.Resource.Name}' cannot wait for itself.");
        }
        return builder.WithAnnotation(new WaitAnnotation(dependency.Resource));
    }

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment => builder.WithVariables((environment, _) =>
        {
            environment[name] = value ?? string.Empty;
            return ValueTask.CompletedTask;
        });

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, EndpointReference endpointReference)
        where T : IResourceWithEnvironment => builder.WithVariables((environment, _) =>
        {
            environment[name] = endpointReference.Url;
            return ValueTask.CompletedTask;
        });

    /// <summary>Adds the endpoint, or updates the one of that name. The stand-in has no proxy: <paramref name="port"/> and <paramref name="targetPort"/> are one.</summary>
    public static IResourceBuilder<T> WithHttpEndpoint<T>(this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? name = null, string? env = null, bool? isProxied = null)
        where T : IResourceWithEndpoints
    {
        if (builder.Resource.FindEndpoint(name ?? "http") is not { } endpoint)
        {
            endpoint = new EndpointAnnotation(ProtocolType.Tcp, "http", name: name ?? "http");
            builder.WithAnnotation(endpoint);
        }
        endpoint.Port = port ?? targetPort ?? endpoint.Port;
        endpoint.TargetPort = targetPort ?? endpoint.TargetPort;
        endpoint.PortVariable = env ?? endpoint.PortVariable;
        endpoint.IsProxied = isProxied ?? endpoint.IsProxied;
        return builder;
    }

    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder)
        where T : IResourceWithEndpoints
    {
        foreach (var endpoint in builder.Resource.Annotations.OfType<EndpointAnnotation>().Where(endpoint => endpoint.IsHttp))
        {
            endpoint.IsExternal = true;
        }
        return builder;
    }

    /// <param name="builder">The resource.</param>
    /// <param name="path">The path asked for; "/" by default.</param>
    /// <param name="statusCode">The status of a healthy answer; 200 by default.</param>
    /// <param name="endpointName">The endpoint asked; by default the one named https, else http.</param>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(this IResourceBuilder<T> builder, string? path = null, int? statusCode = null, string? endpointName = null)
        where T : IResourceWithEndpoints => builder.WithAnnotation(new HttpHealthAnnotation(endpointName, path ?? "/", statusCode ?? 200));

    private static IResourceBuilder<T> WithVariables<T>(this IResourceBuilder<T> builder, Func<IDictionary<string, string>, CancellationToken, ValueTask> apply)
        where T : IResource => builder.WithAnnotation(new EnvironmentAnnotation(apply));

    /// <summary>A name as an environment variable has it: upper case, anything but letters, digits and underscores an underscore.</summary>
    private static string VariableName(string name)
    {
        var encoded = new StringBuilder(name.Length + 1);
        if (char.IsAsciiDigit(name[0]))
        {
            encoded.Append('_');
        }
        foreach (var character in name)
        {
            encoded.Append(char.IsAsciiLetterOrDigit(character) ? char.ToUpperInvariant(character) : '_');
        }
        return encoded.ToString();
    }
}
