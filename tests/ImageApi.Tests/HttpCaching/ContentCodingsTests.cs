using ImageApi.HttpCaching;

namespace ImageApi.Tests.HttpCaching;

public sealed class ContentCodingsTests
{
    [Theory]
    [InlineData("gzip, deflate, br, zstd", "Brotli")]
    [InlineData("gzip, deflate", "Gzip")]
    [InlineData("x-gzip", "Gzip")]
    [InlineData("br;q=0.5, gzip;q=0.8", "Gzip")]
    [InlineData("br;q=0, gzip;q=0", "Identity")]
    [InlineData("*", "Brotli")]
    [InlineData("br;q=0, *", "Gzip")]
    [InlineData("identity;q=0, br", "Brotli")]
    [InlineData("identity, gzip;q=0.5", "Identity")]
    [InlineData("identity;q=0", "Identity")]
    [InlineData("deflate", "Identity")]
    [InlineData("", "Identity")]
    [InlineData("gzip;q=nonsense", "Identity")]
    [InlineData("GZIP;Q=1", "Gzip")]
    public void Choose_FollowsTheWeights(string header, string expected) => Assert.Equal(expected, ContentCodings.Choose(header).ToString());

    [Fact]
    public void Choose_NoHeader_IsIdentity() => Assert.Equal(ContentCoding.Identity, ContentCodings.Choose(default));
}
