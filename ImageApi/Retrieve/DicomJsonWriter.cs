namespace ImageApi.Retrieve;

internal sealed class DicomJsonOptions { public int MaxInlineBytes { get; init; } public Func<string, string>? BulkDataUri { get; init; } }
internal static class DicomJsonWriter { public static void Write(System.Buffers.IBufferWriter<byte> to, Platform.Dicom.DicomDataset d, DicomJsonOptions o) => throw new NotSupportedException(); }
