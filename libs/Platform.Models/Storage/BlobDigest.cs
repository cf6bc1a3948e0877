using System.Security.Cryptography;
using System.Text;

namespace Platform.Models;

/// <summary>SHA-256 as the store names blobs: 64 lower-case hexadecimal digits.</summary>
internal static class BlobDigest
{
    public static bool IsDigest(string? text) => text is { Length: 64 } && text.All(static letter => letter is >= '0' and <= '9' or >= 'a' and <= 'f');

    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static string OfText(string text) => Of(Encoding.UTF8.GetBytes(text));

    /// <summary>Reads a file to its end.</summary>
    public static async Task<string> OfFileAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0, Options = FileOptions.SequentialScan });
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false));
    }
}
