namespace AgentlessDatadog;

/// <summary>Which of a program's activities become spans.</summary>
public sealed record TracingOptions
{
    /// <summary>
    /// Names of the <see cref="System.Diagnostics.ActivitySource"/>s that are listened to: ASP.NET Core, HttpClient, Npgsql
    /// and NATS.Net by default. A program adds its own.
    /// </summary>
    public IReadOnlyList<string> Sources { get; init; } =
    [Tracing.WebRequests.Source, "System.Net.Http", "Npgsql", "NATS.Net"];

    /// <summary>
    /// The share of traces that are sent, from 0 to 1, of those that begin here. A caller that hands in a trace context has
    /// decided already.
    /// </summary>
    public double SampleRate { get; init; } = 1;

    /// <summary>
    /// The most traces that begin here in a second, or come in from a caller: above it, a flood is neither sent nor kept.
    /// At least 1.
    /// </summary>
    public int MaxTracesPerSecond { get; init; } = 100;

    internal void Verify()
    {
        if (!(SampleRate is >= 0 and <= 1))
        {
            throw new ArgumentException("SampleRate must be 0 to 1", nameof(SampleRate));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(MaxTracesPerSecond, 1, nameof(MaxTracesPerSecond));
    }
}
