using System.Reflection;

namespace Compat.Tests;

/// <summary>
/// What code compiles against with a stand-in, it must compile against with the real package: PublicApi.txt beside each stand-in
/// lists what was compared with the package's own signatures, and these tests hold the assembly to it.
/// </summary>
public class PublicApiTests
{
    public static TheoryData<string> StandIns => ["Aspire.Hosting", "Aspire.StackExchange.Redis", "Microsoft.ML.OnnxRuntime", "NBomber"];

    [Theory]
    [MemberData(nameof(StandIns))]
    public void Assembly_HasNothing_ThatPublicApiLacks(string name) => AssertNone(Actual(name).Except(Listed(name)));

    [Theory]
    [MemberData(nameof(StandIns))]
    public void PublicApi_ListsNothing_ThatTheAssemblyLacks(string name) => AssertNone(Listed(name).Except(Actual(name)));

    [Fact]
    public void Lines_OfAMethod_CarryNamesDefaultsAndConstraints() => Assert.Contains(
        "static IResourceBuilder<T> Aspire.Hosting.ResourceBuilderExtensions.WithHttpHealthCheck<T>(this IResourceBuilder<T> builder, string? path = null, int? statusCode = null, string? endpointName = null) where T : IResourceWithEndpoints",
        Actual("Aspire.Hosting"));

    private static void AssertNone(IEnumerable<string> lines) => Assert.True(!lines.Any(), string.Join('\n', lines));

    private static string[] Actual(string name) => [.. PublicApi.Of(Assembly.Load(name))];

    private static string[] Listed(string name) => [.. File.ReadLines(Path.Combine(
            typeof(PublicApiTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == "RepositoryRoot").Value!,
            "libs", "Compat", name, "PublicApi.txt"))
        .Where(line => line.Length > 0 && !line.StartsWith('#'))];
}
