using System.Net;
using System.Net.Sockets;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Running;
using Platform.Tests.Shared;

namespace Compat.Tests;

public class ModelTests
{
    [Theory]
    [InlineData("")]
    [InlineData("1st")]
    [InlineData("a--b")]
    [InlineData("a-")]
    [InlineData("a b")]
    [InlineData("a.b")]
    [InlineData("ä")]
    [InlineData("a\n")]
    public void AddResource_InvalidName_Throws(string name) => Assert.Throws<ArgumentException>(() => DistributedApplication.CreateBuilder().AddRedis(name));

    [Fact]
    public void AddResource_NameTwiceInAnotherCase_Throws()
    {
        var builder = DistributedApplication.CreateBuilder();
        builder.AddRedis("cache");

        Assert.Throws<DistributedApplicationException>(() => builder.AddRedis("Cache"));
    }

    [Fact]
    public void WaitFor_Itself_Throws()
    {
        var service = DistributedApplication.CreateBuilder().AddProject<Anywhere>("service", launchProfileName: null);

        Assert.Throws<DistributedApplicationException>(() => service.WaitFor(service));
    }

    [Fact]
    public async Task Start_ResourcesWaitForEachOther_Throws()
    {
        var builder = DistributedApplication.CreateBuilder();
        var first = builder.AddProject<Anywhere>("first", launchProfileName: null);
        var second = builder.AddProject<Anywhere>("second", launchProfileName: null).WaitFor(first);
        first.WaitFor(second);
        await using var application = builder.Build();

        var exception = await Assert.ThrowsAsync<DistributedApplicationException>(() => application.StartAsync());

        Assert.Contains("first, second", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddProject_UnknownLaunchProfile_ThrowsNamingIt()
    {
        var exception = Assert.Throws<DistributedApplicationException>(() => DistributedApplication.CreateBuilder().AddProject<Anywhere>("service", launchProfileName: "staging"));

        Assert.Contains("staging", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Url_BeforeTheStart_Throws()
    {
        var service = DistributedApplication.CreateBuilder().AddProject<Anywhere>("service", launchProfileName: null).WithHttpEndpoint();

        Assert.False(service.GetEndpoint("http").IsAllocated);
        Assert.Throws<InvalidOperationException>(() => service.GetEndpoint("http").Url);
        Assert.Throws<InvalidOperationException>(() => service.GetEndpoint("grpc").Url);
    }

    [Fact]
    public void WithHttpEndpoint_SameName_UpdatesTheEndpoint()
    {
        var service = DistributedApplication.CreateBuilder().AddProject<Anywhere>("service", launchProfileName: null).WithHttpEndpoint().WithHttpEndpoint(port: 5105).WithExternalHttpEndpoints();

        var endpoint = Assert.Single(service.Resource.Annotations.OfType<EndpointAnnotation>());
        Assert.Equal(5105, endpoint.Port);
        Assert.True(endpoint.IsExternal);
    }

    [Fact]
    public async Task Read_LaunchSettings_TakesProjectProfilesAndNumbersTheirUrls()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.Combine("Properties", "launchSettings.json"), """
            { "profiles": {
                "docker": { "commandName": "Docker" },
                "plain": { "applicationUrl": "http://localhost:5001;http://localhost:5002" }, // a second of the same scheme
            } }
            """);

        var profiles = LaunchProfiles.Read(folder.Combine("Service.csproj"));

        Assert.Equal("plain", Assert.Single(profiles.Profiles).Name);
        Assert.Equal([5001, 5002], profiles.Default!.Urls.Select(url => url.Port));
    }

    [Theory]
    [InlineData("{ broken")]
    [InlineData("""{ "profiles": { "a": { "applicationUrl": "not a url" } } }""")]
    [InlineData("""{ "profiles": [] }""")]
    public async Task Read_BrokenLaunchSettings_ThrowsNamingTheFile(string content)
    {
        using var folder = new TempFolder();
        var path = folder.Combine("Properties", "launchSettings.json");
        await File.WriteAllTextAsync(path, content);

        var exception = Assert.Throws<DistributedApplicationException>(() => LaunchProfiles.Read(folder.Combine("Service.csproj")));

        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Allocate_TakenPort_SkipsWhatOthersWish()
    {
        using var squatter = new TcpListener(IPAddress.Loopback, 0);
        squatter.Start();
        var taken = ((IPEndPoint)squatter.LocalEndpoint).Port;
        var builder = DistributedApplication.CreateBuilder();
        var first = builder.AddProject<Anywhere>("first", launchProfileName: null).WithHttpEndpoint(port: taken);
        var second = builder.AddProject<Anywhere>("second", launchProfileName: null).WithHttpEndpoint(port: taken + 1);
        var third = builder.AddProject<Anywhere>("third", launchProfileName: null).WithHttpEndpoint();

        var moved = Assert.Single(Ports.Allocate(builder.Resources), port => port.Wished == taken);

        Assert.Same(first.Resource, moved.Resource);
        int[] ports = [first.GetEndpoint("http").Port, second.GetEndpoint("http").Port, third.GetEndpoint("http").Port];
        Assert.Equal(3, ports.Distinct().Count());
        Assert.True(ports[0] > taken + 1, $"{ports[0]}");
    }

    [Fact]
    public async Task ChangedAsync_SourceOfAReferencedProject_Completes()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.Combine("app", "App.csproj"), """<Project><ItemGroup><ProjectReference Include="..\lib\Lib.csproj" /></ItemGroup></Project>""");
        await File.WriteAllTextAsync(folder.Combine("lib", "Lib.csproj"), "<Project />");
        var source = folder.Combine("lib", "Deep", "Source.cs");
        await File.WriteAllTextAsync(source, "first");
        var watcher = new SourceWatcher(folder.Combine("app", "App.csproj"), TimeProvider.System);
        var changed = watcher.ChangedAsync(CancellationToken.None);

        await File.WriteAllTextAsync(folder.Combine("lib", "obj", "Made.cs"), "made by the build");
        await File.WriteAllTextAsync(folder.Combine("lib", "notes.md"), "no source");
        await Task.Delay(TimeSpan.FromSeconds(1.6));
        Assert.False(changed.IsCompleted);
        await File.WriteAllTextAsync(source, "second");

        await changed.WaitAsync(TimeSpan.FromSeconds(10));
    }

    private sealed class Anywhere : IProjectMetadata
    {
        public string ProjectPath => "/nowhere/Service.csproj";

        public bool SuppressBuild => true;
    }
}
