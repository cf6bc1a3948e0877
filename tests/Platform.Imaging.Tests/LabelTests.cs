namespace Platform.Imaging.Tests;

public sealed class LabelTests
{
    [Fact]
    public void Find_SomeLabels_GivesBoxesAndCounts()
    {
        byte[] labels =
        [
            0, 0, 3, 3,
            0, 1, 0, 3,
            0, 1, 1, 0,
        ];
        Assert.Equal([new LabelRegion(1, new PixelRegion(1, 1, 2, 2), 3), new LabelRegion(3, new PixelRegion(2, 0, 2, 2), 3)], LabelRegion.Find(labels, 4));
        Assert.Empty(LabelRegion.Find(new byte[12], 4));
    }

    [Fact]
    public void Encode_OneLabel_AlternatesBetweenOutAndIn()
    {
        byte[] labels =
        [
            0, 0, 3, 3,
            0, 1, 0, 3,
            0, 1, 1, 0,
        ];
        Assert.Equal([0, 1, 1, 2], RunLengths.Encode(labels, 4, new PixelRegion(1, 1, 2, 2), 1));
        Assert.Equal([0, 2, 1, 1], RunLengths.Encode(labels, 4, new PixelRegion(2, 0, 2, 2), 3));
    }

    [Fact]
    public void Decode_WhatWasEncoded_IsTheMask()
    {
        var random = new Random(9);
        for (var round = 0; round < 200; round++)
        {
            int width = random.Next(1, 30), height = random.Next(1, 30), few = random.Next(1, 20);
            var labels = new byte[width * height];
            for (var i = 0; i < labels.Length; i++) labels[i] = (byte)Math.Max(0, random.Next(-few, 4));
            var decoded = new byte[labels.Length];
            foreach (var region in LabelRegion.Find(labels, width))
            {
                var runs = RunLengths.Encode(labels, width, region.Box, region.Label);
                Assert.Equal(region.Pixels, runs.Where(static (_, i) => i % 2 == 1).Sum());
                RunLengths.Decode(runs, decoded, width, region.Box, region.Label);
            }

            Assert.Equal(labels, decoded);
        }
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(2, -1)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void Decode_RunsOutsideTheBox_AreRefused(int first, int second) =>
        Assert.Throws<ArgumentException>(() => RunLengths.Decode([first, second], new byte[16], 4, new PixelRegion(1, 1, 2, 2), 1));

    [Fact]
    public void Blend_Region_HasItsColourMixedInAndItsOutlineFull()
    {
        using var picture = new Picture(5, 5, 1);
        picture.Pixels.Fill(100);
        var labels = new byte[25];
        for (var y = 1; y < 4; y++) labels.AsSpan(y * 5 + 1, 3).Fill(2);
        labels[0] = 9;   // has no colour
        using var blended = LabelOverlay.Blend(picture, labels, [default, new LabelColour(200, 0, 100)], 0.5, CancellationToken.None);
        Assert.Equal([100, 100, 100], blended.Pixels[..3].ToArray());
        Assert.Equal([150, 50, 100], blended.Pixels.Slice(12 * 3, 3).ToArray());
        Assert.Equal([200, 0, 100], blended.Pixels.Slice(6 * 3, 3).ToArray());
    }
}
