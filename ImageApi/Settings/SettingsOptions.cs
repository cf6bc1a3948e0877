namespace ImageApi.Settings;

/// <summary>Where what was set at run time is kept.</summary>
internal sealed class SettingsOptions
{
    public const string SectionName = "ImageApi:Settings";

    /// <summary>
    /// The folder of the settings files; <c>~/</c> stands for the home folder. Default null: <c>.settings</c> in the store. Made when missing; the files
    /// are readable by their owner only, because those of origins hold credentials.
    /// </summary>
    public string? Path { get; set; }
}
