namespace AgentlessDatadog.Benchmarks;

/// <summary>The same sessions for everyone: a hundred thousand of them, with three gauges each.</summary>
internal static class Sessions
{
    public const int Count = 100_000;

    public static readonly string[] Gauges =
    [
        "streamspace.session.cpu_usage",
        "streamspace.session.memory_usage",
        "streamspace.session.storage_usage",
    ];

    public static string Session(int i) => $"user{i % 5000}-firefox-{i:x8}";

    public static string User(int i) => $"user{i % 5000}";

    public static string Template(int i) => $"template{i % 20}";

    public static string[] Tags(int i) => [$"session:{Session(i)}", $"template:{Template(i)}", $"user:{User(i)}"];
}
