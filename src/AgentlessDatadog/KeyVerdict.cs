using AgentlessDatadog.Delivery;

namespace AgentlessDatadog;

/// <summary>What Datadog says about an API key.</summary>
public enum KeyState
{
    /// <summary>The site knows it.</summary>
    Valid,

    /// <summary>The site does not know it.</summary>
    Refused,

    /// <summary>There is none to ask about.</summary>
    Missing,

    /// <summary>Something that is not Datadog answered.</summary>
    NotDatadog,

    /// <summary>There was no answer, or one that says nothing about the key.</summary>
    Unknown,
}

/// <summary>Result of a key check (docs/reference/datadog.md §2.2).</summary>
/// <param name="State">What is known.</param>
/// <param name="Message">What was answered, or why there was no answer; null when the key is valid.</param>
public sealed record KeyVerdict(KeyState State, string? Message)
{
    /// <summary>Asks Datadog about the API key of <paramref name="options"/>, without a pipeline.</summary>
    /// <exception cref="ArgumentException">An option cannot be used; the message says which.</exception>
    public static async Task<KeyVerdict> AskAsync(
        TelemetryOptions options,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        options.Verify();
        using var connections = new Connections(DatadogClient.Connect);
        var intake = new DatadogClient(connections, options, new DatadogClock(clock));
        var verdict = await intake.CheckKeyAsync(cancellationToken).ConfigureAwait(false);
        return
            verdict.State is KeyState.Refused
            && await intake.FindSiteAsync(cancellationToken).ConfigureAwait(false) is { } site
            ? verdict with
            {
                Message = $"the key is valid on {site}; the site is set to {options.Site}",
            }
            : verdict;
    }
}
