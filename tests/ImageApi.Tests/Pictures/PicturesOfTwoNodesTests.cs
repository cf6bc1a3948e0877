using System.Net;
using ImageApi.Tests.Support;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Pictures;

/// <summary>Two nodes over one folder of pictures, with and without a Redis between them.</summary>
public sealed class PicturesOfTwoNodesTests
{
    [ToolTheory("redis-server")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Put_OnOneNode_NoNodeServesTheOldAsCurrent(bool withRedis)
    {
        await using var redis = withRedis ? await RedisServer.StartAsync() : null;
        (string, string)[] settings = redis is null ? [] : [("ConnectionStrings:cache", redis.ConnectionString)];
        await using var first = await PicturesApiTests.StartAsync(null, settings);
        await using var second = await PicturesApiTests.StartAsync(PicturesApiTests.PathOf(first), settings);
        var id = (await PicturesApiTests.PostAsync(first, PicturesApiTests.Png(20, 10, PicturesApiTests.Gradient(20, 10)))).GetProperty("id").GetString();

        for (var round = 0; round < 6; round++)
        {
            var (writer, reader) = round % 2 == 0 ? (first, second) : (second, first);
            // Every form of the old one is in the reader's memory, and known to its client.
            string? known = null;
            foreach (var size in new[] { "placeholder", "thumbnail", "full" })
            {
                using var response = await reader.SendAsync($"/images/{id}?size={size}", ("Accept", "image/png"));
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                known = response.Header("ETag");
            }
            using var put = await PicturesApiTests.SendFileAsync(writer, HttpMethod.Put, $"/images/{id}", PicturesApiTests.Png(21 + round, 10, PicturesApiTests.Gradient(21 + round, 10)));
            Assert.Equal(HttpStatusCode.OK, put.StatusCode);
            foreach (var node in new[] { writer, reader })
            {
                using var response = await node.SendAsync($"/images/{id}", ("Accept", "image/png"), ("If-None-Match", known!));
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                Assert.Equal((21 + round, 10), PicturesApiTests.Size(await response.Content.ReadAsByteArrayAsync()));
                Assert.Equal(21 + round, (await PicturesApiTests.ListedAsync(node)).GetProperty("width").GetInt32());
            }
        }

        using var removal = await second.SendAsync(HttpMethod.Delete, $"/images/{id}");
        Assert.Equal(HttpStatusCode.NoContent, removal.StatusCode);
        using var gone = await first.SendAsync($"/images/{id}");
        await ProblemAnswer.AssertAsync(gone, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Put_ManyWhoSawTheSame_OneWins()
    {
        await using var first = await PicturesApiTests.StartAsync();
        await using var second = await PicturesApiTests.StartAsync(PicturesApiTests.PathOf(first));
        var picture = await PicturesApiTests.PostAsync(first, PicturesApiTests.Png(20, 10, PicturesApiTests.Gradient(20, 10)));
        var (id, tag) = (picture.GetProperty("id").GetString(), $"\"{picture.GetProperty("version").GetString()}\"");
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            using var response = await PicturesApiTests.SendFileAsync(i % 2 == 0 ? first : second, HttpMethod.Put, $"/images/{id}", PicturesApiTests.Png(30 + i, 10, PicturesApiTests.Gradient(30 + i, 10)), ("If-Match", tag));
            return (Width: 30 + i, response.StatusCode);
        }));
        var winner = Assert.Single(answers, static answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer != winner), static answer => Assert.Equal(HttpStatusCode.PreconditionFailed, answer.StatusCode));
        Assert.Equal(winner.Width, (await PicturesApiTests.ListedAsync(second)).GetProperty("width").GetInt32());
    }
}
