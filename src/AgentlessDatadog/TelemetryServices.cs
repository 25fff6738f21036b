using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog;

/// <summary>Telemetry in a program that is built on the .NET host.</summary>
public static class TelemetryServices
{
    /// <summary>
    /// Adds one <see cref="TelemetryPipeline"/>, which starts and ends with the host, and sends what the program logs, from
    /// Information on, through it.
    /// </summary>
    /// <param name="services">What the host is made of. A <see cref="TimeProvider"/> among them is the clock.</param>
    /// <param name="storePath">The file that keeps what is under way, for this process alone; its folder must exist.</param>
    /// <param name="options">Where telemetry goes and how.</param>
    /// <param name="tracing">
    /// Which activities of the program and its libraries become spans; null: none. See <see cref="DatadogActivityListener"/>.
    /// </param>
    /// <exception cref="ArgumentException">An option of the tracing cannot be used; the message says which.</exception>
    public static IServiceCollection AddAgentlessDatadog(
        this IServiceCollection services,
        string storePath,
        TelemetryOptions options,
        TracingOptions? tracing = null
    )
    {
        if (tracing is not null)
        {
            tracing.Verify();
            services.AddSingleton(provider => new DatadogActivityListener(tracing, ClockOf(provider)));
        }

        return services
            .AddSingleton(provider => new DatadogLoggerProvider(ClockOf(provider)))
            .AddSingleton<ILoggerProvider>(provider => provider.GetRequiredService<DatadogLoggerProvider>())
            .AddSingleton(provider => new TelemetryPipeline(
                storePath,
                options,
                ClockOf(provider),
                logger: provider.GetRequiredService<ILogger<TelemetryPipeline>>()
            ))
            .AddHostedService<TelemetryHostedService>();
    }

    private static TimeProvider ClockOf(IServiceProvider provider) =>
        provider.GetService<TimeProvider>() ?? TimeProvider.System;
}
