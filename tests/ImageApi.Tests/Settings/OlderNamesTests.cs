using ImageApi.Settings;
using Microsoft.Extensions.Configuration;

namespace ImageApi.Tests.Settings;

/// <summary>The environment names of the older tools: each is understood, and an explicit setting wins over it.</summary>
public sealed class OlderNamesTests
{
    public static TheoryData<string, string, string, string> Names() => new()
    {
        { "CACHE_DIR", "/var/cache/images", "TieredCache:Disk:Path", "/var/cache/images" },
        { "CACHE_MAX_SIZE_MB", "512", "TieredCache:Disk:CapacityBytes", "536870912" },
        { "CACHE_DEFAULT_TTL_HOURS", "48", "TieredCache:Disk:Ttl", "2.00:00:00" },
        { "CACHE_DEFAULT_TTL_HOURS", "0.5", "TieredCache:Disk:Ttl", "00:30:00" },
        { "IMAGE_SERVER", "http://localhost:8080/images", "ImageApi:Origins:default:Url", "http://localhost:8080/images" },
        { "IMAGE_SERVER", "https://images.example/", "ImageApi:Origins:default:Kind", "http" },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void AddOlderNames_NameAlone_IsTheSetting(string name, string value, string setting, string meant) =>
        Assert.Equal(meant, Configure((name, value))[setting]);

    [Theory]
    [MemberData(nameof(Names))]
    public void AddOlderNames_ExplicitSetting_Wins(string name, string value, string setting, string meant)
    {
        Assert.NotEqual("explicit", meant);
        Assert.Equal("explicit", Configure((name, value), (setting, "explicit"))[setting]);
    }

    [Fact]
    public void AddOlderNames_OriginCalledDefaultIsConfigured_IsLeftAlone()
    {
        var configuration = Configure(("IMAGE_SERVER", "http://localhost:8080/"), ("ImageApi:Origins:default:Path", "/images"));
        Assert.Null(configuration["ImageApi:Origins:default:Url"]);
        Assert.Null(configuration["ImageApi:Origins:default:Kind"]);
    }

    [Theory]
    [InlineData("IMAGE_SERVER", "localhost:8080")]
    [InlineData("IMAGE_SERVER", "ftp://images.example/")]
    [InlineData("CACHE_MAX_SIZE_MB", "lots")]
    [InlineData("CACHE_MAX_SIZE_MB", "0")]
    [InlineData("CACHE_MAX_SIZE_MB", "-1")]
    [InlineData("CACHE_MAX_SIZE_MB", "9223372036854775807")]
    [InlineData("CACHE_DEFAULT_TTL_HOURS", "a day")]
    [InlineData("CACHE_DEFAULT_TTL_HOURS", "0")]
    [InlineData("CACHE_DEFAULT_TTL_HOURS", "1e9")]
    public void AddOlderNames_UnreadableValue_NamesTheVariable(string name, string value)
    {
        var exception = Assert.Throws<InvalidOperationException>(() => Configure((name, value)));
        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddOlderNames_NoneSet_AddsNothing()
    {
        var configuration = new ConfigurationManager();
        var before = ((IConfigurationBuilder)configuration).Sources.Count;
        configuration.AddOlderNames();
        Assert.Equal(before, ((IConfigurationBuilder)configuration).Sources.Count);
    }

    private static ConfigurationManager Configure(params (string Name, string Value)[] values)
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection(values.ToDictionary(value => value.Name, value => (string?)value.Value));
        configuration.AddOlderNames();
        return configuration;
    }
}
