namespace Microsoft.ML.OnnxRuntime;

public interface IDisposableReadOnlyCollection<T> : IReadOnlyCollection<T>, IReadOnlyList<T>, IDisposable
{
}

internal sealed class DisposableList<T> : List<T>, IDisposableReadOnlyCollection<T> where T : IDisposable
{
    public DisposableList(int capacity) : base(capacity)
    {
    }

    public void Dispose()
    {
        foreach (var item in this) item.Dispose();
        Clear();
    }
}
