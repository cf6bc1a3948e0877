using Platform.Tests.Shared;

namespace AppHost.Tests;

/// <summary>
/// What the projects evaluate to with FullFeed=true. The packages themselves need a feed that has them; a package of the SDK's name
/// and version, laid into a package folder of the test's own, shows that the SDK is imported, and when.
/// </summary>
public class FullFeedTests
{
    private const string Items = "-getItem:PackageReference -getItem:ProjectReference -getItem:PackageVersion";

    private static string Project(string name) => Path.Combine(TestHostRun.RepositoryRoot, name, $"{name}.csproj");

    [Fact]
    public async Task AppHost_FullFeed_ImportsTheSdkAndRefersToPackages()
    {
        using var packages = new TempFolder();
        await LaySdkAsync(packages, "aspire.apphost.sdk", "13.5.2");

        var evaluation = await DotnetMsbuild.EvaluateAsync(Project("AppHost"),
            $"-p:FullFeed=true {Items} -getProperty:IsAspireHost -getProperty:SdkTargets -getProperty:UsedBefore -getProperty:BaseIntermediateOutputPath -getProperty:OutputPath",
            ("NUGET_PACKAGES", packages.Path));

        Assert.Equal("true", evaluation.Property("IsAspireHost"));
        Assert.Equal("imported after its props", evaluation.Property("SdkTargets"));
        Assert.Equal("true", evaluation.Property("UsedBefore"));
        Assert.Equal("obj/fullfeed/", evaluation.Property("BaseIntermediateOutputPath"));
        Assert.StartsWith("bin/fullfeed/", evaluation.Property("OutputPath"));
        Assert.Contains("Aspire.Hosting", evaluation.Identities("PackageReference"));
        Assert.Contains("Aspire.Hosting.Redis", evaluation.Identities("PackageReference"));
        Assert.Equal(["../DemoFiles/DemoFiles.csproj", "../ImageApi/ImageApi.csproj", "../InferenceApi/InferenceApi.csproj", "../Web/Web.csproj"], evaluation.Identities("ProjectReference").Order());
        Assert.All(evaluation.Identities("PackageReference"), package => Assert.Contains(package, evaluation.Identities("PackageVersion")));
    }

    [Fact]
    public async Task AppHost_FullFeedWithoutTheSdk_FailsNamingIt()
    {
        using var nothing = new TempFolder();
        var config = nothing.Combine("NuGet", "NuGet.Config");
        await File.WriteAllTextAsync(config, "<configuration><packageSources><clear /></packageSources></configuration>");

        var (code, output) = await DotnetMsbuild.RunAsync(Project("AppHost"), "-p:FullFeed=true -getProperty:IsAspireHost",
            ("NUGET_PACKAGES", nothing.Combine("packages")), ("HOME", nothing.Path), ("XDG_CONFIG_HOME", nothing.Path), ("DOTNET_CLI_HOME", nothing.Path));

        Assert.NotEqual(0, code);
        Assert.Contains("Aspire.AppHost.Sdk", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("true", "2.")]
    [InlineData("false", "1.2.6")]
    public async Task ImageApi_EitherFeed_HasItsRedisClientOnce(string fullFeed, string redisVersion)
    {
        var evaluation = await DotnetMsbuild.EvaluateAsync(Project("ImageApi"), $"-p:FullFeed={fullFeed} {Items}");

        Assert.Equal(fullFeed == "true", evaluation.Identities("PackageReference").Contains("Aspire.StackExchange.Redis"));
        Assert.Equal(fullFeed == "false", evaluation.Identities("ProjectReference").Any(reference => reference.EndsWith("libs/Compat/Aspire.StackExchange.Redis/Aspire.StackExchange.Redis.csproj", StringComparison.Ordinal)));
        var redis = Assert.Single(evaluation.GetProperty("Items").GetProperty("PackageVersion").EnumerateArray(), version => version.GetProperty("Identity").GetString() == "StackExchange.Redis");
        Assert.StartsWith(redisVersion, redis.GetProperty("Version").GetString());
    }

    [Fact]
    public async Task AppHost_WithoutFullFeed_HasResourcesAndTheStandIn()
    {
        var evaluation = await DotnetMsbuild.EvaluateAsync(Project("AppHost"), $"{Items} -getProperty:IsAspireHost");

        // IsAspireHost without Aspire's SDK is a build error of the .NET SDK.
        Assert.Equal(string.Empty, evaluation.Property("IsAspireHost"));
        var references = evaluation.GetProperty("Items").GetProperty("ProjectReference").EnumerateArray().ToDictionary(
            reference => reference.GetProperty("Filename").GetString()!,
            reference => reference.GetProperty("IsAspireProjectResource").GetString());
        Assert.Equal(new Dictionary<string, string?> { ["DemoFiles"] = "true", ["ImageApi"] = "true", ["InferenceApi"] = "true", ["Web"] = "true", ["Aspire.Hosting"] = "false" }, references);
    }

    [Fact]
    public async Task Targets_ProjectsWithOddNames_BecomeClassesNamedAsAspireNamesThem()
    {
        using var folder = new TempFolder();
        foreach (var name in new[] { "My.Image-Api", "3d.2View" })
        {
            await File.WriteAllTextAsync(folder.Combine($"{name}.csproj"), """<Project Sdk="Microsoft.NET.Sdk" />""");
        }
        var host = folder.Combine("Some-Host.csproj");
        await File.WriteAllTextAsync(host, $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
              <ItemGroup>
                <ProjectReference Include="My.Image-Api.csproj" />
                <ProjectReference Include="3d.2View.csproj" />
                <ProjectReference Include="Library.csproj" IsAspireProjectResource="false" />
              </ItemGroup>
              <Import Project="{TestHostRun.RepositoryRoot}libs/Compat/Aspire.Hosting/build/Aspire.AppHost.targets" />
            </Project>
            """);

        var (code, output) = await DotnetMsbuild.RunAsync(host, "-t:WriteAspireProjectMetadataSources");

        Assert.True(code == 0, output);
        var sources = Directory.GetFiles(folder.Path, "*.ProjectMetadata.g.cs", SearchOption.AllDirectories);
        Assert.Equal(["My_Image_Api.ProjectMetadata.g.cs", "_3d__2View.ProjectMetadata.g.cs", "_AppHost.ProjectMetadata.g.cs"], sources.Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains($"public string ProjectPath => \"\"\"{folder.Path}/My.Image-Api.csproj\"\"\";", await File.ReadAllTextAsync(sources.Single(source => source.Contains("My_Image_Api", StringComparison.Ordinal))), StringComparison.Ordinal);
        Assert.Contains("public class Some_Host", await File.ReadAllTextAsync(sources.Single(source => source.Contains("_AppHost", StringComparison.Ordinal))), StringComparison.Ordinal);
    }

    /// <summary>A package in the form that NuGet leaves it in its folder, whose files say that they were read.</summary>
    private static async Task LaySdkAsync(TempFolder packages, string id, string version)
    {
        var files = new Dictionary<string, string>
        {
            ["Sdk/Sdk.props"] = "<Project><PropertyGroup><IsAspireHost>true</IsAspireHost><UsedBefore>$(UsingMicrosoftNETSdk)</UsedBefore></PropertyGroup></Project>",
            ["Sdk/Sdk.targets"] = "<Project><PropertyGroup><SdkTargets Condition=\"'$(IsAspireHost)' == 'true'\">imported after its props</SdkTargets></PropertyGroup></Project>",
            [".nupkg.metadata"] = """{ "version": 2, "contentHash": "none", "source": "none" }""",
            [$"{id}.{version}.nupkg.sha512"] = "none",
            [$"{id}.nuspec"] = $"""<package><metadata><id>{id}</id><version>{version}</version><authors>test</authors><description>test</description><packageTypes><packageType name="MSBuildSdk" /></packageTypes></metadata></package>""",
        };
        foreach (var (path, content) in files)
        {
            await File.WriteAllTextAsync(packages.Combine([id, version, .. path.Split('/')]), content);
        }
    }
}
