using System.Text.Json;
using System.Text.Json.Serialization;
using Platform.TieredCache;

namespace ImageApi.CacheAdmin;

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CacheStats))]
[JsonSerializable(typeof(CacheHistoryView))]
[JsonSerializable(typeof(CacheEntryPage))]
[JsonSerializable(typeof(CacheClearRequest))]
[JsonSerializable(typeof(CacheCleared))]
[JsonSerializable(typeof(CacheScrub))]
[JsonSerializable(typeof(CacheSettingsView))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class CacheAdminJson : JsonSerializerContext;
