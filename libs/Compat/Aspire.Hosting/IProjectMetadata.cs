using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>A project as a resource; the build writes a class <c>Projects.Name</c> for each project reference of the host.</summary>
public interface IProjectMetadata : IResourceAnnotation
{
    /// <summary>The absolute path of the project file.</summary>
    string ProjectPath { get; }

    /// <summary>Whether the project is built already: true for the references of the host, which are built with it.</summary>
    bool SuppressBuild => false;
}

/// <summary>A resource that others find by its name: <c>http://name</c>.</summary>
public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;
