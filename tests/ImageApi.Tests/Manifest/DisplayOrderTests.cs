using ImageApi.Manifest;

namespace ImageApi.Tests.Manifest;

public sealed class DisplayOrderTests
{
    private static readonly double[] Axial = [1, 0, 0, 0, 1, 0];
    private static readonly double[] Coronal = [1, 0, 0, 0, 0, -1];

    [Fact]
    public void Of_ParallelPlanes_GoesAlongTheNormal()
    {
        var (order, spacing, isEven) = DisplayOrder.Of([At(Axial, 10), At(Axial, -5), At(Axial, 2.5), At(Axial, 17.5), At(Axial, 25)]);
        Assert.Equal([1, 2, 0, 3, 4], order);
        Assert.Equal(7.5, spacing);
        Assert.True(isEven);
    }

    [Fact]
    public void Of_OneGap_IsNotEven()
    {
        var (_, spacing, isEven) = DisplayOrder.Of([At(Axial, 0), At(Axial, 1), At(Axial, 2), At(Axial, 4)]);
        Assert.Equal(1, spacing);
        Assert.False(isEven);
    }

    [Fact]
    public void Of_TwoPlanesAtOnePlace_StaysAsItCame()
    {
        var (order, spacing, isEven) = DisplayOrder.Of([At(Axial, 3), At(Axial, 1), At(Axial, 3)]);
        Assert.Equal([0, 1, 2], order);
        Assert.Null(spacing);
        Assert.False(isEven);
    }

    [Fact]
    public void Of_MixedOrientations_StaysAsItCame() =>
        Assert.Equal([0, 1], DisplayOrder.Of([At(Axial, 3), At(Coronal, 1)]).Order);

    [Fact]
    public void Of_NoGeometry_StaysAsItCame() =>
        Assert.Equal([0, 1, 2], DisplayOrder.Of([default, default, default]).Order);

    private static DisplayOrder.Plane At(double[] orientation, double z) => new(orientation, [1, 2, z]);
}
