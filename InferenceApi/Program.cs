using InferenceApi.Hosting;
using InferenceApi.OpenInference;
using InferenceApi.Problems;
using InferenceApi.Sessions;

var builder = WebApplication.CreateSlimBuilder(args);
builder.AddServiceDefaults();
builder.AddServer();
builder.Services
    .AddProblems()
    .AddSessions()
    .AddOpenInference();

var app = builder.Build();
app.UseProblems();
app.UseResponseCompression();
app.UseRouting();
app.UseCors();
app.MapDefaultEndpoints();
app.MapSessionsApi();
app.MapOpenInferenceApi();
app.Run();
