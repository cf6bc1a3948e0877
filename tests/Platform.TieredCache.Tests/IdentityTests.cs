using System.Security.Cryptography;
using System.Text;

namespace Platform.TieredCache.Tests;

public class IdentityTests
{
    [Fact]
    public void Digest256_RoundTrip_KeepsBytesAndText()
    {
        var hash = SHA256.HashData("abc"u8);
        var digest = new Digest256(hash);
        var bytes = new byte[32];
        digest.CopyTo(bytes);
        Assert.Equal(hash, bytes);
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", digest.ToString());
        Assert.True(Digest256.TryParse(digest.ToString(), out var parsed));
        Assert.Equal(digest, parsed);
        Assert.Equal("ba7816bf8f01cfea", digest.ToShortString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ba78")]
    [InlineData("za7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    public void TryParse_NotADigest_ReturnsFalse(string? text) => Assert.False(Digest256.TryParse(text, out _));

    [Fact]
    public void ContentId_Of_IsSha256OfLengthPrefixedParts()
    {
        using var expected = new MemoryStream();
        foreach (var part in new[] { "c1"u8.ToArray(), Encoding.UTF8.GetBytes("ordner"), Encoding.UTF8.GetBytes("bäume.dcm"), [1, 2, 3] })
        {
            expected.Write(BitConverter.GetBytes(part.Length));
            expected.Write(part);
        }

        Assert.Equal(new Digest256(SHA256.HashData(expected.ToArray())), ContentId.Of("ordner", "bäume.dcm", [1, 2, 3]));
    }

    [Fact]
    public void DigestBuilder_PartsCutElsewhere_GiveAnotherDigest()
        => Assert.NotEqual(ContentId.Of("ab", "c", []), ContentId.Of("a", "bc", []));

    [Fact]
    public void DigestBuilder_MoreThanTheScratch_GivesTheSameDigest()
    {
        var part = new byte[5000];
        Random.Shared.NextBytes(part);
        var small = new DigestBuilder(stackalloc byte[16], "x"u8);
        small.Add(part);
        small.Add(7);
        var large = new DigestBuilder(new byte[8192], "x"u8);
        large.Add(part);
        large.Add(7);
        Assert.Equal(large.Finish(), small.Finish());
    }

    [Fact]
    public void DigestBuilder_ShortParts_AllocatesNothing()
    {
        ContentId.Of("origin", "study/series/instance.dcm", [1, 2, 3, 4]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) ContentId.Of("origin", "study/series/instance.dcm", [1, 2, 3, 4]);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void RecipeId_OtherVersionNameOrParameters_IsAnotherRecipe()
    {
        RecipeId[] recipes =
        [
            RecipeId.AsStored, RecipeId.Of("gzip", 1), RecipeId.Of("gzip", 2), RecipeId.Of("br", 1), RecipeId.Of("gzip", 1, [0]),
        ];
        Assert.Equal(recipes.Length, recipes.Distinct().Count());
        Assert.Equal(RecipeId.Of("gzip", 1), RecipeId.Of("gzip", 1, []));
    }

    [Fact]
    public void CacheKey_AnyPartDiffers_IsAnotherKey()
    {
        var key = TestValues.Key(1);
        CacheKey[] keys = [key, key with { Index = 1 }, key with { Kind = EntryKind.Tile }, key with { Recipe = RecipeId.Of("a", 1) }, TestValues.Key(2)];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys.Length, keys.Select(k => k.GetHashCode()).Distinct().Count());
    }
}
