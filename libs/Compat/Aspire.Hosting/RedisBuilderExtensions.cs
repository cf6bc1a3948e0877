using System.Net.Sockets;
using System.Security.Cryptography;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public static class RedisBuilderExtensions
{
    public static IResourceBuilder<RedisResource> AddRedis(this IDistributedApplicationBuilder builder, string name, int? port) =>
        builder.AddRedis(name, port, null);

    /// <summary>
    /// A Redis server of this run: <c>redis-server</c> when it is on the PATH, else a container when Docker answers, else none,
    /// and its consumers start without the connection string. It always has a password and keeps nothing on disk.
    /// </summary>
    public static IResourceBuilder<RedisResource> AddRedis(this IDistributedApplicationBuilder builder, string name, int? port = null, IResourceBuilder<ParameterResource>? password = null)
    {
        // Letters and digits only: the password stands in connection strings and in a configuration line.
        var parameter = password?.Resource ?? new ParameterResource($"{name}-password", RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 32), secret: true);
        return builder.AddResource(new RedisResource(name, parameter))
            .WithAnnotation(new EndpointAnnotation(ProtocolType.Tcp, "redis", name: RedisResource.EndpointName, port: port, targetPort: 6379));
    }
}
