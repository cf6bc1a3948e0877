namespace InferenceApi.Batching;

/// <summary>How a model runs here, found by measuring it.</summary>
/// <param name="Threads">Threads that one run uses.</param>
/// <param name="Workers">Runs at the same time.</param>
/// <param name="MaxBatch">Samples in one run; 1 where the model takes one only, or gains nothing from more.</param>
/// <param name="PerSample">What one sample costs at best, all workers together; zero where it was not measured.</param>
internal sealed record RunPlan(int Threads, int Workers, int MaxBatch, TimeSpan PerSample);
