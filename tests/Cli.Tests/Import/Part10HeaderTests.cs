using Cli.Import;
using Platform.Tests.Shared;

namespace Cli.Tests.Import;

public sealed class Part10HeaderTests
{
    [Fact]
    public void Read_Instance_HasItsUid() =>
        Assert.Equal(new Part10Header(true, false, "2.25.7"), Part10Header.Read(new DicomBuilder { InstanceUid = "2.25.7" }.Build()));

    [Fact]
    public void Read_Dicomdir_IsADirectory() => Assert.True(Part10Header.Read(new DicomBuilder { SopClassUid = "1.2.840.10008.1.3.10" }.Build()).IsDirectory);

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(131)]
    public void Read_ShortFile_IsNoDicom(int length) => Assert.False(Part10Header.Read(new DicomBuilder().Build().AsSpan(0, length)).IsDicom);

    [Fact]
    public void Read_AnyPrefixOfAFile_DoesNotThrow()
    {
        var file = new DicomBuilder().Build();
        var random = new Random(1);
        for (var length = 132; length < Math.Min(file.Length, 600); length++)
        {
            Assert.True(Part10Header.Read(file.AsSpan(0, length)).IsDicom);
            var damaged = file.AsSpan(0, length).ToArray();
            for (var i = 132; i < length; i += random.Next(1, 20)) damaged[i] = (byte)random.Next(256);
            Part10Header.Read(damaged);
        }
    }
}
