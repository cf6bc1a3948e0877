namespace Microsoft.ML.OnnxRuntime;

public unsafe class ModelMetadata
{
    internal ModelMetadata(nint session)
    {
        var allocator = OrtAllocator.DefaultInstance.Pointer;
        nint metadata;
        OrtApi.Check(OrtApi.SessionGetModelMetadata(session, &metadata));
        try
        {
            byte* text;
            OrtApi.Check(OrtApi.ModelMetadataGetProducerName(metadata, allocator, &text));
            ProducerName = OrtApi.TakeText(text);
            OrtApi.Check(OrtApi.ModelMetadataGetGraphName(metadata, allocator, &text));
            GraphName = OrtApi.TakeText(text);
            OrtApi.Check(OrtApi.ModelMetadataGetDomain(metadata, allocator, &text));
            Domain = OrtApi.TakeText(text);
            OrtApi.Check(OrtApi.ModelMetadataGetDescription(metadata, allocator, &text));
            Description = OrtApi.TakeText(text);
            OrtApi.Check(OrtApi.ModelMetadataGetGraphDescription(metadata, allocator, &text));
            GraphDescription = OrtApi.TakeText(text);
            long version, count;
            OrtApi.Check(OrtApi.ModelMetadataGetVersion(metadata, &version));
            Version = version;
            byte** keys;
            OrtApi.Check(OrtApi.ModelMetadataGetCustomMetadataMapKeys(metadata, allocator, &keys, &count));
            for (var i = 0L; i < count; i++)
            {
                OrtApi.Check(OrtApi.ModelMetadataLookupCustomMetadataMap(metadata, allocator, keys[i], &text));
                var value = OrtApi.TakeText(text);
                CustomMetadataMap[OrtApi.TakeText(keys[i])] = value;
            }
            if (keys is not null) OrtApi.Check(OrtApi.AllocatorFree(allocator, keys));
        }
        finally
        {
            OrtApi.ReleaseModelMetadata(metadata);
        }
    }

    public string ProducerName { get; }

    public string GraphName { get; }

    public string Domain { get; }

    public string Description { get; }

    public string GraphDescription { get; }

    public long Version { get; }

    public Dictionary<string, string> CustomMetadataMap { get; } = [];
}
