using Web.Administration;
using Web.Assets;
using Web.Cache;
using Web.Dicomweb;
using Web.Errors;
using Web.Hosting;
using Web.Models;
using Web.Origins;
using Web.Pictures;
using Web.Security;
using Web.Slides;
using Web.Studies;
using Web.Viewer;
using Web.Volumes;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error); // seals search words only: keys in the user's profile do
builder.WebHost.ConfigureKestrel(static kestrel =>
{
    kestrel.AddServerHeader = false;
    kestrel.Limits.MaxRequestBodySize = 64 * 1024; // the search form; files go from the browser to ImageApi
});

builder.Services.AddRazorComponents();
builder.Services.AddImageApi().AddPageCompression().AddAssets().AddStudies().AddVolumes().AddPictures().AddSlides().AddAdministration().AddCachePages().AddOriginPages().AddModelPages();
builder.Services.AddHostedService<WarmUp>();

var app = builder.Build();

app.UsePageSecurity();
app.UsePageCompression();
app.UseErrorPages();

app.MapDefaultEndpoints();
app.MapAssets();
app.MapStudyPages();
app.MapViewerPages();
app.MapVolumePages();
app.MapSlidePages();
app.MapPicturePages();
app.MapCachePages();
app.MapOriginPages();
app.MapModelPages();

app.Run();
