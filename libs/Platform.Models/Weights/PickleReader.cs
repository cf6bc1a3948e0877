using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Platform.Models;

/// <summary>
/// Reads a pickle without executing anything in it: a machine for the opcodes that build numbers, texts and plain containers, and for the dozen names that PyTorch and numpy use to describe tensors.
/// Those names are answered by code here, never looked up. Any other name is refused as soon as it is mentioned, whether or not it would be called; so is any opcode that would make objects.
/// (Python: pickletools.py lists the opcodes, protocols 0 to 5.)
/// </summary>
internal sealed class PickleReader(Stream stream, string what)
{
    private const int MaxOpcodes = 4_000_000, MaxStack = 1_000_000, MaxInlineBytes = 4096, MaxTextBytes = 64 << 20, MaxNumberBytes = 64;

    private static readonly Dictionary<string, PickleGlobal> Globals = new(StringComparer.Ordinal)
    {
        ["collections.OrderedDict"] = new(PickleName.OrderedDict),
        ["_codecs.encode"] = new(PickleName.Encode),
        ["builtins.bytes"] = new(PickleName.Bytes),
        ["__builtin__.bytes"] = new(PickleName.Bytes),
        ["torch._utils._rebuild_tensor_v2"] = new(PickleName.TorchRebuildTensor),
        ["torch._utils._rebuild_parameter"] = new(PickleName.TorchRebuildParameter),
        ["torch.Size"] = new(PickleName.TorchSize),
        ["torch.DoubleStorage"] = new(PickleName.TorchStorage, TensorElement.Float64),
        ["torch.FloatStorage"] = new(PickleName.TorchStorage, TensorElement.Float32),
        ["torch.HalfStorage"] = new(PickleName.TorchStorage, TensorElement.Float16),
        ["torch.BFloat16Storage"] = new(PickleName.TorchStorage, TensorElement.BFloat16),
        ["torch.LongStorage"] = new(PickleName.TorchStorage, TensorElement.Int64),
        ["torch.IntStorage"] = new(PickleName.TorchStorage, TensorElement.Int32),
        ["torch.ShortStorage"] = new(PickleName.TorchStorage, TensorElement.Int16),
        ["torch.CharStorage"] = new(PickleName.TorchStorage, TensorElement.Int8),
        ["torch.ByteStorage"] = new(PickleName.TorchStorage, TensorElement.UInt8),
        ["torch.BoolStorage"] = new(PickleName.TorchStorage, TensorElement.Bool),
        ["numpy.core.multiarray._reconstruct"] = new(PickleName.NumpyReconstruct),
        ["numpy._core.multiarray._reconstruct"] = new(PickleName.NumpyReconstruct),
        ["numpy.core.multiarray.scalar"] = new(PickleName.NumpyScalar),
        ["numpy._core.multiarray.scalar"] = new(PickleName.NumpyScalar),
        ["numpy.core.numeric._frombuffer"] = new(PickleName.NumpyFromBuffer),
        ["numpy._core.numeric._frombuffer"] = new(PickleName.NumpyFromBuffer),
        ["numpy.ndarray"] = new(PickleName.NumpyNdarray),
        ["numpy.dtype"] = new(PickleName.NumpyDtype),
    };

    private static readonly object Mark = new();

    private readonly List<object?> _stack = [];
    private readonly Dictionary<long, object?> _memo = [];
    private long _textBytes;

    /// <summary>Reads one pickle from the stream's position to its STOP.</summary>
    /// <exception cref="ModelException">It is none, or asks for more than plain data.</exception>
    public object? Read(CancellationToken cancellationToken)
    {
        for (var count = 0; count < MaxOpcodes; count++)
        {
            if ((count & 0xFFFF) == 0) cancellationToken.ThrowIfCancellationRequested();
            if (_stack.Count > MaxStack) throw Wrong("is too large");
            var opcode = NextByte();
            if (opcode == '.') return Pop();
            Step(opcode);
        }
        throw Wrong("is too large");
    }

    private void Step(int opcode)
    {
        switch (opcode)
        {
            case 0x80: NextByte(); break;                                          // PROTO
            case 0x95: ReadUInt64(); break;                                        // FRAME
            case '(': _stack.Add(Mark); break;
            case '0': Pop(); break;
            case '1': PopToMark(); break;
            case 'N': _stack.Add(null); break;
            case 0x88: _stack.Add(true); break;
            case 0x89: _stack.Add(false); break;
            case 'I': _stack.Add(ReadLine() is var line && line is "00" or "01" ? line == "01" : ParseInteger(line)); break;
            case 'L': _stack.Add(ParseInteger(ReadLine().TrimEnd('L'))); break;
            case 'F': _stack.Add(double.TryParse(ReadLine(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong("has a number that is none")); break;
            case 'J': _stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(ReadBytes(4))); break;
            case 'K': _stack.Add((long)NextByte()); break;
            case 'M': _stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(ReadBytes(2))); break;
            case 0x8A: _stack.Add(ReadLong(NextByte())); break;                    // LONG1
            case 0x8B: _stack.Add(ReadLong(BinaryPrimitives.ReadInt32LittleEndian(ReadBytes(4)))); break;
            case 'G': _stack.Add(BinaryPrimitives.ReadDoubleBigEndian(ReadBytes(8))); break;
            case 'V': _stack.Add(ReadLine() is var escaped && !escaped.Contains('\\', StringComparison.Ordinal) ? escaped : throw Wrong("has a text in escapes, which is not read")); break;
            case 'X': _stack.Add(ReadText(ReadUInt32())); break;
            case 0x8C: _stack.Add(ReadText(NextByte())); break;
            case 0x8D: _stack.Add(ReadText(ReadUInt64())); break;
            case 'C': _stack.Add(ReadData(NextByte())); break;
            case 'B': _stack.Add(ReadData(ReadUInt32())); break;
            case 0x8E or 0x96: _stack.Add(ReadData(ReadUInt64())); break;          // BINBYTES8, BYTEARRAY8
            case '}': _stack.Add(new PickleDict()); break;
            case ']': _stack.Add(new PickleList()); break;
            case ')': _stack.Add(new PickleTuple([])); break;
            case 't': _stack.Add(new PickleTuple(PopToMark())); break;
            case 0x85: PushTuple(1); break;
            case 0x86: PushTuple(2); break;
            case 0x87: PushTuple(3); break;
            case 'l':
                var list = new PickleList();
                list.AddRange(PopToMark());
                _stack.Add(list);
                break;
            case 'd':
                var dict = new PickleDict();
                SetAll(dict, PopToMark());
                _stack.Add(dict);
                break;
            case 'a':
                var appended = Pop();
                Peek<PickleList>().Add(appended);
                break;
            case 'e':
                var many = PopToMark();
                Peek<PickleList>().AddRange(many);
                break;
            case 's':
                var value = Pop();
                var key = Pop();
                Peek<PickleDict>().Set(key, value);
                break;
            case 'u':
                var pairs = PopToMark();
                SetAll(Peek<PickleDict>(), pairs);
                break;
            case '2': _stack.Add(Top()); break;
            case 'p': Remember(ParseInteger(ReadLine())); break;
            case 'q': Remember(NextByte()); break;
            case 'r': Remember(ReadUInt32()); break;
            case 0x94: Remember(_memo.Count); break;
            case 'g': Recall(ParseInteger(ReadLine())); break;
            case 'h': Recall(NextByte()); break;
            case 'j': Recall(ReadUInt32()); break;
            case 'c':
                var module = ReadLine();
                _stack.Add(Find(module, ReadLine()));
                break;
            case 0x93:
                var name = Pop() as string ?? throw Wrong("mentions a name that is none");
                _stack.Add(Find(Pop() as string ?? throw Wrong("mentions a name that is none"), name));
                break;
            case 'R':
                var arguments = Pop() as PickleTuple ?? throw Wrong("calls with no arguments");
                var callee = Pop() as PickleGlobal ?? throw Wrong("calls what is no function");
                _stack.Add(Apply(callee, arguments.Items));
                break;
            case 'b':
                var state = Pop();
                Build(Top(), state);
                break;
            case 'Q': _stack.Add(ToStorage(Pop())); break;
            case 'i':
                var instanceModule = ReadLine();
                Find(instanceModule, ReadLine());
                throw Wrong("makes objects (opcode INST)");
            case 'o': throw Wrong("makes objects (opcode OBJ)");
            case 0x81 or 0x92: throw Wrong("makes objects (opcode NEWOBJ)");
            case 'S' or 'T' or 'U': throw Wrong("has texts of Python 2");
            default: throw Wrong(string.Create(CultureInfo.InvariantCulture, $"has the opcode 0x{opcode:X2}, which is not read"));
        }
    }

    private PickleGlobal Find(string module, string name)
    {
        if (Globals.TryGetValue($"{module}.{name}", out var known)) return known;
        throw Wrong($"uses {Shown(module)}.{Shown(name)}: only tensors and plain containers are read, nothing is executed");
    }

    private object? Apply(PickleGlobal callee, object?[] arguments)
    {
        switch (callee.Kind)
        {
            case PickleName.OrderedDict when arguments.Length == 0:
                return new PickleDict();
            case PickleName.OrderedDict when arguments is [PickleList pairs]:
                var dict = new PickleDict();
                foreach (var pair in pairs)
                {
                    var (key, value) = pair switch
                    {
                        PickleTuple { Items: [var k, var v] } => (k, v),
                        PickleList { Count: 2 } list => (list[0], list[1]),
                        _ => throw Wrong("has a dict of what are no pairs"),
                    };
                    dict.Set(key, value);
                }
                return dict;
            case PickleName.Encode when arguments is [string text, "latin1" or "latin-1"]:
                return text.All(static letter => letter <= 0xFF) ? new PickleBytes(Encoding.Latin1.GetBytes(text), 0, text.Length) : throw Wrong("has bytes that are none");
            case PickleName.Bytes when arguments.Length == 0:   // how protocol 2 writes no bytes
                return new PickleBytes([], 0, 0);
            case PickleName.TorchSize when arguments is [PickleTuple or PickleList]:
                return arguments[0];
            case PickleName.TorchRebuildTensor when arguments is [PickleStorage storage, long offset, PickleTuple size, PickleTuple stride, ..] && arguments.Length <= 7:
                return new PickleTensor(storage, offset, ToNumbers(size), ToNumbers(stride));
            case PickleName.TorchRebuildParameter when arguments is [PickleTensor tensor, ..]:
                return tensor;
            case PickleName.NumpyReconstruct when arguments is [PickleGlobal { Kind: PickleName.NumpyNdarray }, ..]:
                return new PickleArray();
            case PickleName.NumpyDtype when arguments is [string code, ..]:
                return new PickleDtype(ElementOf(code));
            case PickleName.NumpyFromBuffer when arguments is [PickleBytes bytes, PickleDtype dtype, PickleTuple shape, string order]:
                return new PickleArray { Bytes = bytes, Dtype = dtype, Shape = ToNumbers(shape), IsFortran = order == "F" };
            case PickleName.NumpyScalar when arguments is [PickleDtype, PickleBytes]:
                return PickleOpaque.Instance;
            default:
                throw Wrong($"calls {callee.Kind} with other arguments than it takes");
        }
    }

    private void Build(object? target, object? state)
    {
        switch (target)
        {
            case PickleDict:
                break;   // attributes of an OrderedDict, such as _metadata
            case PickleDtype dtype when state is PickleTuple { Items: [long, string order, ..] }:
                dtype.IsLittleEndian = order is "<" or "|" or "=";
                break;
            case PickleArray array when state is PickleTuple { Items: [long, PickleTuple shape, PickleDtype dtype, bool isFortran, PickleBytes bytes] }:
                (array.Shape, array.Dtype, array.IsFortran, array.Bytes) = (ToNumbers(shape), dtype, isFortran, bytes);
                break;
            default:
                throw Wrong("gives a state to what takes none");
        }
    }

    private PickleStorage ToStorage(object? id) =>
        id is PickleTuple { Items: ["storage", PickleGlobal { Kind: PickleName.TorchStorage, Element: { } element }, string key, string, long count, ..] }
            ? count >= 0 && key.Length is > 0 and <= 64 && key.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-') ? new PickleStorage(key, element, count) : throw Wrong("has a storage that is none")
            : throw Wrong("refers to something outside that is no storage");

    private TensorElement ElementOf(string code) => code switch
    {
        "f8" => TensorElement.Float64,
        "f4" => TensorElement.Float32,
        "f2" => TensorElement.Float16,
        "i8" => TensorElement.Int64,
        "i4" => TensorElement.Int32,
        "i2" => TensorElement.Int16,
        "i1" => TensorElement.Int8,
        "u8" => TensorElement.UInt64,
        "u4" => TensorElement.UInt32,
        "u2" => TensorElement.UInt16,
        "u1" => TensorElement.UInt8,
        "b1" => TensorElement.Bool,
        _ => throw Wrong($"has an array of {Shown(code)}, which is no number"),
    };

    private long[] ToNumbers(PickleTuple tuple)
    {
        if (tuple.Items.Length > WeightLimits.MaxRank) throw Wrong("has a tensor of too many dimensions");
        return [.. tuple.Items.Select(item => item is long number and >= 0 ? number : throw Wrong("has a tensor whose shape is none"))];
    }

    private void SetAll(PickleDict dict, object?[] pairs)
    {
        if (pairs.Length % 2 != 0) throw Wrong("has a dict of what are no pairs");
        for (var i = 0; i < pairs.Length; i += 2) dict.Set(pairs[i], pairs[i + 1]);
    }

    private void PushTuple(int count)
    {
        var items = new object?[count];
        for (var i = count - 1; i >= 0; i--) items[i] = Pop();
        _stack.Add(new PickleTuple(items));
    }

    private object? Top() => _stack.Count > 0 && _stack[^1] != Mark ? _stack[^1] : throw Wrong("takes from an empty stack");

    private object? Pop()
    {
        var top = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private T Peek<T>() where T : class => Top() as T ?? throw Wrong("fills what is no container");

    private object?[] PopToMark()
    {
        var mark = _stack.LastIndexOf(Mark);
        if (mark < 0) throw Wrong("has no mark where one is needed");
        var items = _stack.GetRange(mark + 1, _stack.Count - mark - 1).ToArray();
        _stack.RemoveRange(mark, _stack.Count - mark);
        return items;
    }

    private void Remember(long place) => _memo[place] = Top();

    private void Recall(long place) => _stack.Add(_memo.TryGetValue(place, out var value) ? value : throw Wrong("recalls what it never told"));

    private long ParseInteger(string text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong("has a number that is none");

    /// <summary>Numbers beyond 64 bits are of no use in weights; they are read as nothing of interest.</summary>
    private object ReadLong(int length)
    {
        if (length is < 0 or > MaxNumberBytes) throw Wrong("has a number that is too long");
        var bytes = ReadBytes(length);
        if (length > 8) return PickleOpaque.Instance;
        long number = length > 0 && (sbyte)bytes[length - 1] < 0 ? -1 : 0;
        for (var i = length - 1; i >= 0; i--) number = number << 8 | bytes[i];
        return number;
    }

    private string ReadText(long length)
    {
        if (length < 0 || (_textBytes += length) > MaxTextBytes || length > stream.Length - stream.Position) throw Wrong("has a text that is too long");
        return Encoding.UTF8.GetString(ReadBytes((int)length));
    }

    private PickleBytes ReadData(long length)
    {
        if (length < 0 || length > stream.Length - stream.Position) throw Wrong("has bytes beyond its end");
        if (length <= MaxInlineBytes) return new PickleBytes(ReadBytes((int)length), 0, length);
        var offset = stream.Position;
        stream.Seek(length, SeekOrigin.Current);
        return new PickleBytes(null, offset, length);
    }

    private string ReadLine()
    {
        var line = new StringBuilder();
        for (int next; (next = NextByte()) != '\n';)
        {
            if (line.Length == 1024) throw Wrong("has a line that is too long");
            line.Append((char)next);
        }
        return line.ToString();
    }

    private uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(ReadBytes(4));

    private long ReadUInt64() => BinaryPrimitives.ReadInt64LittleEndian(ReadBytes(8));

    private byte[] ReadBytes(int length)
    {
        var bytes = new byte[length];
        return stream.ReadAtLeast(bytes, length, throwOnEndOfStream: false) == length ? bytes : throw Wrong("ends early");
    }

    private int NextByte() => stream.ReadByte() is >= 0 and var next ? next : throw Wrong("ends early");

    private ModelException Wrong(string rule) => ModelException.Invalid($"The {what} {rule}.");

    private static string Shown(string name) => new([.. name.Take(100).Select(static letter => char.IsControl(letter) ? '?' : letter)]);
}
