using System.CommandLine;
using PerfTests.Browser;
using PerfTests.Codecs;
using PerfTests.HitRate;
using PerfTests.Inference;
using PerfTests.Disk;
using PerfTests.Load;
using PerfTests.Micro;
using PerfTests.Peers;
using PerfTests.Pictures;
using PerfTests.Report;
using PerfTests.Versus;

// One line per result with a decimal point, wherever it runs.
System.Globalization.CultureInfo.DefaultThreadCurrentCulture = System.Globalization.CultureInfo.InvariantCulture;

var root = new RootCommand("Measures the Platform: by itself (micro, hitrate), against others (versus) and under load (load).")
{
    MicroCommand.Create(),
    DiskCommand.Create(),
    VersusCommand.Create(),
    LoadCommand.Create(),
    HitRateCommand.Create(),
    CodecsCommand.Create(),
    BrowserCommand.Create(),
    InferenceCommand.Create(),
    PicturesCommand.Create(),
    PeersCommand.Create(),
    ReportCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
