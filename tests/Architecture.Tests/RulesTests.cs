using System.Reflection;
using Platform.Tests.Shared;

namespace Architecture.Tests;

public class RulesTests
{
    private static readonly Lazy<SourceTree> Repository = new(() => new SourceTree(
        typeof(RulesTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == "RepositoryRoot").Value!));

    public static TheoryData<string> AllRules => [.. RuleNames];

    private static string[] RuleNames { get; } = [.. typeof(Rules).GetMethods(BindingFlags.Public | BindingFlags.Static).Select(rule => rule.Name)];

    [Theory]
    [MemberData(nameof(AllRules))]
    public void Repository_Rule_Holds(string rule) => Assert.Empty(Broken(rule, Repository.Value));

    [Fact]
    public void Repository_Read_IsThisOne()
    {
        Assert.Contains(Repository.Value.Projects, project => project.Path == "tests/Architecture.Tests/Architecture.Tests.csproj");
        Assert.Contains(Repository.Value.Projects, project => project.Name == "ImageApi" && project.References.Contains("Platform.Dicom") && project.References.Contains("Aspire.StackExchange.Redis"));
    }

    /// <summary>Every rule against a tree that breaks it, and what it must say: a rule that cannot fail is none.</summary>
    [Theory]
    [InlineData(nameof(Rules.ArrowsGoOneWay), "libs/Platform.Dicom/Platform.Dicom.csproj", """<Project><ItemGroup><ProjectReference Include="../Platform.TieredCache/Platform.TieredCache.csproj" /></ItemGroup></Project>""", "Platform.Dicom must not refer to Platform.TieredCache.")]
    [InlineData(nameof(Rules.ArrowsGoOneWay), "Web/Web.csproj", """<Project><ItemGroup><ProjectReference Include="..\ImageApi\ImageApi.csproj" /></ItemGroup></Project>""", "Web must not refer to ImageApi.")]
    [InlineData(nameof(Rules.ArrowsGoOneWay), "Web/Web.csproj", """<Project><ItemGroup><StandIn Include="Aspire.StackExchange.Redis" /></ItemGroup></Project>""", "Web must not refer to Aspire.StackExchange.Redis.")]
    [InlineData(nameof(Rules.ArrowsGoOneWay), "ServiceDefaults/ServiceDefaults.csproj", """<Project><ItemGroup><ProjectReference Include="../tests/Shared/Shared.csproj" /></ItemGroup></Project>""", "ServiceDefaults must not refer to Shared.")]
    [InlineData(nameof(Rules.EveryProjectIsKnown), "Helpers/Helpers.csproj", "<Project />", "Helpers/Helpers.csproj is not a project of the design")]
    [InlineData(nameof(Rules.EveryProjectIsKnown), "ImageApi/Search/ImageApi.csproj", "<Project />", "ImageApi/Search/ImageApi.csproj is not a project of the design")]
    [InlineData(nameof(Rules.EveryProjectIsKnown), "tests/Helpers.Tests/Helpers.Tests.csproj", "<Project />", "tests/Helpers.Tests/Helpers.Tests.csproj is not a project of the design")]
    [InlineData(nameof(Rules.LibrariesKnowNoHost), "libs/Platform.Dicom/Platform.Dicom.csproj", """<Project><ItemGroup><FrameworkReference Include="Microsoft.AspNetCore.App" /></ItemGroup></Project>""", "Platform.Dicom must not use Microsoft.AspNetCore.App.")]
    [InlineData(nameof(Rules.LibrariesKnowNoHost), "libs/Platform.Dicom/Platform.Dicom.csproj", """<Project><ItemGroup><PackageReference Include="Microsoft.Extensions.Configuration.Binder" /></ItemGroup></Project>""", "Platform.Dicom must not use Microsoft.Extensions.Configuration.Binder.")]
    [InlineData(nameof(Rules.LibrariesKnowNoHost), "libs/Platform.Dicom/Platform.Dicom.csproj", """<Project Sdk="Microsoft.NET.Sdk.Web" />""", "Platform.Dicom must not use Microsoft.NET.Sdk.Web.")]
    [InlineData(nameof(Rules.LibrariesKnowNoHost), "libs/Platform.Dicom/Parsing/Reader.cs", "using Microsoft.AspNetCore.Http;", "libs/Platform.Dicom/Parsing/Reader.cs:1 brings a host into a library")]
    [InlineData(nameof(Rules.LibrariesKnowNoHost), "libs/Platform.Dicom/Parsing/Reader.cs", "class Reader(IConfiguration configuration);", "libs/Platform.Dicom/Parsing/Reader.cs:1 brings a host into a library")]
    [InlineData(nameof(Rules.EveryProjectIsInTheSolution), "libs/Platform.Dicom/Platform.Dicom.csproj", "<Project />", "libs/Platform.Dicom/Platform.Dicom.csproj is not in Platform.sln.")]
    [InlineData(nameof(Rules.VersionsStandInOnePlace), "Web/Web.csproj", """<Project><ItemGroup><PackageReference Include="Polly.Core" Version="8.0.0" /></ItemGroup></Project>""", "Web/Web.csproj gives Polly.Core a version")]
    [InlineData(nameof(Rules.VersionsStandInOnePlace), "Web/Web.csproj", """<Project><ItemGroup><PackageReference Include="Polly.Core"><VersionOverride>8.0.0</VersionOverride></PackageReference></ItemGroup></Project>""", "Web/Web.csproj gives Polly.Core a version")]
    [InlineData(nameof(Rules.VersionsStandInOnePlace), "tests/Directory.Build.props", """<Project><ItemGroup><PackageVersion Include="xunit" Version="2.0.0" /></ItemGroup></Project>""", "tests/Directory.Build.props gives xunit a version")]
    [InlineData(nameof(Rules.NothingIsCompiledByCondition), "ImageApi/Program.cs", "  #if FULLFEED", "ImageApi/Program.cs:1 compiles by condition")]
    [InlineData(nameof(Rules.NothingIsCompiledByCondition), "ImageApi/Program.cs", "#if DEBUG && NET10_0", "ImageApi/Program.cs:1 compiles by condition")]
    [InlineData(nameof(Rules.NothingIsCompiledByCondition), "ImageApi/Program.cs", "#if DEBUG\n#elif WINDOWS\n#endif", "ImageApi/Program.cs:2 compiles by condition")]
    [InlineData(nameof(Rules.TheFeedIsChosenInOnePlace), "Web/Web.csproj", """<Project><ItemGroup Condition="'$(FullFeed)' == 'true'" /></Project>""", "Web/Web.csproj asks for FullFeed")]
    [InlineData(nameof(Rules.StandInsAreAskedForByName), "ImageApi/ImageApi.csproj", """<Project><ItemGroup><ProjectReference Include="../libs/Compat/Aspire.StackExchange.Redis/Aspire.StackExchange.Redis.csproj" /></ItemGroup></Project>""", "ImageApi/ImageApi.csproj refers to ../libs/Compat/")]
    public async Task Tree_BreaksTheRule_IsToldSo(string rule, string file, string content, string expected)
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.Combine(file.Split('/')), content);

        var broken = Broken(rule, new SourceTree(folder.Path));

        Assert.StartsWith(expected, Assert.Single(broken));
    }

    [Theory]
    [InlineData("libs/Compat/Aspire.Hosting/Running/Host.cs", "#if WINDOWS\nusing Microsoft.AspNetCore.Http;")]
    [InlineData("libs/Platform.Dicom/Parsing/Reader.cs", "#if DEBUG\n// The defaults of ASP.NET do not matter here.\n#endif")]
    [InlineData("Web/obj/Web.csproj", """<Project><ItemGroup><PackageReference Include="Polly.Core" Version="8.0.0" /></ItemGroup></Project>""")]
    [InlineData("Directory.Packages.props", """<Project><ItemGroup><PackageVersion Include="xunit" Version="2.0.0" /></ItemGroup></Project>""")]
    [InlineData("Directory.Build.targets", """<Project><ItemGroup Condition="'$(FullFeed)' == 'true'" /></Project>""")]
    public async Task Tree_KeepsTheRules_IsLeftAlone(string file, string content)
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.Combine(file.Split('/')), content);
        var tree = new SourceTree(folder.Path);

        Assert.All(RuleNames.Except([nameof(Rules.EveryProjectIsInTheSolution)]), rule => Assert.Empty(Broken(rule, tree)));
    }

    private static IEnumerable<string> Broken(string rule, SourceTree tree) => (IEnumerable<string>)typeof(Rules).GetMethod(rule)!.Invoke(null, [tree])!;
}
