using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using InferenceApi.Sessions;
using Platform.Models;
using Platform.TieredCache;

namespace InferenceApi.ResultCache;

/// <summary>
/// What a model is, as a digest: its manifest (which says how pictures are prepared and answers read) and its files. Found without loading
/// the model; files whose digest the manifest does not give are read once.
/// </summary>
internal sealed class ModelIdentities(IModelFiles files)
{
    private readonly ConditionalWeakTable<ModelManifest, Task<Digest256>> _known = [];

    /// <exception cref="ModelException">The model's files are not here.</exception>
    public async ValueTask<Digest256> FindAsync(ModelManifest model, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(model, out var known) && known.IsCompletedSuccessfully) return await known;
        var finding = MakeAsync(model);
        var identity = await finding.WaitAsync(cancellationToken);
        _known.AddOrUpdate(model, finding);
        return identity;
    }

    private async Task<Digest256> MakeAsync(ModelManifest model)
    {
        var digests = new List<string>();
        using var lease = model.Files.Any(static file => file.Sha256 is null) ? await files.OpenAsync(model, CancellationToken.None) : null;
        if (lease?.Digest is { } stored) return Build(model, [stored]);
        foreach (var file in model.Files)
        {
            if (file.Sha256 is { } told)
            {
                digests.Add(told);
                continue;
            }

            // The file that runs, and external data beside it.
            var path = Path.Combine(Path.GetDirectoryName(lease!.Path)!, file.Path == model.Runs ? Path.GetFileName(lease.Path) : file.Path);
            if (!File.Exists(path)) continue;
            await using var stream = File.OpenRead(path);
            digests.Add(Convert.ToHexStringLower(await SHA256.HashDataAsync(stream)));
        }

        return Build(model, digests);
    }

    private static Digest256 Build(ModelManifest model, List<string> digests)
    {
        var builder = new DigestBuilder(stackalloc byte[256], "model1"u8);
        builder.Add(model.Json.Span);
        foreach (var digest in digests) builder.Add(digest);
        return builder.Finish();
    }
}
