using InferenceApi.Hosting;
using InferenceApi.Problems;

var builder = WebApplication.CreateSlimBuilder(args);
builder.AddServiceDefaults();
builder.AddServer();
builder.Services
    .AddProblems();

var app = builder.Build();
app.UseProblems();
app.UseRouting();
app.UseCors();
app.MapDefaultEndpoints();
app.Run();
