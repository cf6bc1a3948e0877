using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Keys and values as two native arrays of strings, freed when disposed.</summary>
internal readonly unsafe ref struct NativeStrings
{
    private readonly int _count;

    public NativeStrings(Dictionary<string, string> options)
    {
        _count = options.Count;
        Keys = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
        Values = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
        var i = 0;
        foreach (var (key, value) in options)
        {
            Keys[i] = (byte*)Marshal.StringToCoTaskMemUTF8(key);
            Values[i++] = (byte*)Marshal.StringToCoTaskMemUTF8(value);
        }
    }

    public byte** Keys { get; }

    public byte** Values { get; }

    public void Dispose()
    {
        for (var i = 0; i < _count; i++)
        {
            Marshal.FreeCoTaskMem((nint)Keys[i]);
            Marshal.FreeCoTaskMem((nint)Values[i]);
        }
        NativeMemory.Free(Keys);
        NativeMemory.Free(Values);
    }
}
