using ImageApi.Catalog;
using ImageApi.Origins;
using ImageApi.Store;

namespace ImageApi.Tests.Origins;

public sealed class OptionsTests
{
    [Theory]
    [InlineData("archive", "folder", "/data", true)]
    [InlineData("store", "folder", "/data", false)]
    [InlineData("has space", "folder", "/data", false)]
    [InlineData("archive", "ftp", "/data", false)]
    [InlineData("archive", "folder", "", false)]
    public void Validate_AnOrigin(string name, string kind, string path, bool isValid)
    {
        var options = new OriginsOptions();
        options.Origins[name] = new OriginOptions { Kind = kind, Path = path };
        Assert.Equal(isValid, new OriginsOptionsValidator().Validate(null, options).Succeeded);
    }

    [Fact]
    public void Validate_DefaultsOfStoreAndCatalog_AreValid()
    {
        Assert.True(new StoreOptionsValidator().Validate(null, new StoreOptions()).Succeeded);
        Assert.True(new CatalogOptionsValidator().Validate(null, new CatalogOptions()).Succeeded);
        Assert.False(new StoreOptionsValidator().Validate(null, new StoreOptions { Path = "" }).Succeeded);
    }
}
