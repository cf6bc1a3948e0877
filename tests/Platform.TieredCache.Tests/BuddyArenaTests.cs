namespace Platform.TieredCache.Tests;

public unsafe class BuddyArenaTests
{
    [Fact]
    public void TryAllocate_MixedSizes_BlocksNeverOverlapAndAllJoinAgain()
    {
        using var arena = new BuddyArena(4 << 20);
        var random = new Random(17);
        var lent = new List<(nint Address, int Size, byte Mark)>();
        for (var step = 0; step < 20_000; step++)
        {
            if (random.Next(100) < 55)
            {
                var address = arena.TryAllocate(random.Next(1, random.Next(2) == 0 ? 4096 : 600_000), out var size);
                if (address is null) continue;
                var mark = (byte)random.Next(1, 256);
                new Span<byte>(address, size).Fill(mark);
                lent.Add(((nint)address, size, mark));
            }
            else if (lent.Count > 0)
            {
                var at = random.Next(lent.Count);
                var (address, size, mark) = lent[at];
                Assert.Equal(-1, new Span<byte>((void*)address, size).IndexOfAnyExcept(mark));
                arena.Release((byte*)address, size);
                lent.RemoveAt(at);
            }

            if (step % 500 == 0) arena.Verify();
        }

        Assert.Equal(lent.Sum(block => (long)block.Size), arena.UsedBytes);
        foreach (var (address, size, _) in lent) arena.Release((byte*)address, size);
        arena.Verify();
        Assert.Equal(0, arena.UsedBytes);
        for (var i = 0; i < 4; i++) Assert.True(arena.TryAllocate(1 << 20, out _) is not null);
        Assert.True(arena.TryAllocate(1, out _) is null);
    }

    [Fact]
    public void Release_Twice_Throws()
    {
        using var arena = new BuddyArena(1 << 20);
        var block = arena.TryAllocate(5000, out var size);
        arena.Release(block, size);
        var refused = false;
        try
        {
            arena.Release(block, size);
        }
        catch (InvalidOperationException)
        {
            refused = true;
        }

        Assert.True(refused);
        arena.Verify();
    }

    [Theory]
    [InlineData(1, 1024)]
    [InlineData(1024, 1024)]
    [InlineData(1025, 2048)]
    [InlineData(524_288, 524_288)]
    [InlineData(524_289, 1_048_576)]
    public void TryAllocate_Size_IsRoundedToAPowerOfTwo(int asked, int expected)
    {
        using var arena = new BuddyArena(1 << 20);
        arena.TryAllocate(asked, out var size);
        Assert.Equal(expected, size);
    }
}
