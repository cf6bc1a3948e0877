using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Running;

namespace Aspire.Hosting;

public static class ProjectResourceBuilderExtensions
{
    /// <summary>Adds a project with the launch profile of the host's own name, else with its first one.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new()
    {
        var project = new TProject();
        var profiles = LaunchProfiles.Read(project.ProjectPath);
        var own = builder.Configuration["AppHost:DefaultLaunchProfileName"] ?? builder.Configuration["DOTNET_LAUNCH_PROFILE"];
        return Add(builder, name, project, profiles.Find(own) ?? profiles.Default);
    }

    /// <param name="builder">The model.</param>
    /// <param name="name">The resource's name: its host name for others, the prefix of its log lines.</param>
    /// <param name="launchProfileName">The launch profile; null: none, hence no endpoint from it.</param>
    /// <exception cref="DistributedApplicationException">The project has no such profile.</exception>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name, string? launchProfileName)
        where TProject : IProjectMetadata, new()
    {
        var project = new TProject();
        var profile = launchProfileName is null ? null : LaunchProfiles.Read(project.ProjectPath).Find(launchProfileName)
            ?? throw new DistributedApplicationException($"The project '{project.ProjectPath}' has no launch profile '{launchProfileName}'.");
        return Add(builder, name, project, profile);
    }

    private static IResourceBuilder<ProjectResource> Add(IDistributedApplicationBuilder builder, string name, IProjectMetadata project, LaunchProfile? profile)
    {
        var resource = builder.AddResource(new ProjectResource(name)).WithAnnotation(project);
        if (profile is null)
        {
            return resource;
        }
        foreach (var url in profile.Urls)
        {
            var taken = resource.Resource.Annotations.OfType<EndpointAnnotation>().Count(other => other.UriScheme == url.Scheme);
            resource.WithAnnotation(new EndpointAnnotation(ProtocolType.Tcp, url.Scheme, name: taken == 0 ? url.Scheme : $"{url.Scheme}{taken + 1}", port: url.Port));
        }
        return resource.WithAnnotation(new LaunchProfileAnnotation(profile.Name, profile.Environment));
    }
}
