using Npgsql;
using Shouldly;

namespace EndToEnd.Support;

/// <summary>What goes wrong in the long day: with the servers, with the platform, and with us.</summary>
public sealed class Disturbances(
    StreamSpaceServers servers,
    LongDay day,
    Installation installation,
    PlatformClock apiClock,
    PlatformClock clusterClock
)
{
    private DateTimeOffset? _blindFrom;
    private bool _listens = true;

    /// <summary>We are killed, as by a crash.</summary>
    public async Task KillHostAsync(DateTimeOffset at)
    {
        Deafen(at);
        await installation.KillHostAsync();
    }

    /// <summary>We are stopped, as by a service manager.</summary>
    public async Task StopHostAsync(DateTimeOffset at)
    {
        Deafen(at);
        (await installation.Host.TerminateAsync()).ShouldBe(0);
    }

    /// <summary>We are started on what the last one left.</summary>
    public Task StartHostAsync(DateTimeOffset _)
    {
        installation.StartHostAgain();
        return Task.CompletedTask;
    }

    /// <summary>nats-server crashes.</summary>
    public async Task KillNatsAsync(DateTimeOffset at)
    {
        _blindFrom ??= at;
        day.Platform.Heard = false;
        await day.Platform.DisconnectAsync();
        await servers.Nats.KillAsync();
        if (_listens)
        {
            await installation.SourceIsAsync("nats", "down");
        }
    }

    /// <summary>nats-server crashes, and what it had is gone, as with an emptyDir.</summary>
    public async Task LoseNatsAsync(DateTimeOffset at)
    {
        await KillNatsAsync(at);
        servers.Nats.LoseData();
        day.Platform.LoseStream();
    }

    /// <summary>nats-server is back, and the API with what it had kept for it.</summary>
    public async Task StartNatsAsync(DateTimeOffset _)
    {
        await servers.Nats.StartAsync();
        await day.Platform.ConnectAsync();
    }

    /// <summary>PostgreSQL crashes, with a log-in on its way that is never written.</summary>
    public async Task KillPostgresAsync(DateTimeOffset at)
    {
        _blindFrom ??= at;
        await using var connection = await servers.Database.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await day.Users.LogInUnrecordedAsync(day.Users.Users[1], connection);
        day.Users.Reached = false;
        await servers.Postgres.KillAsync();
        try
        {
            await transaction.CommitAsync();
        }
        catch (NpgsqlException)
        {
            // Gone with the server.
        }
    }

    /// <summary>PostgreSQL is back.</summary>
    public async Task StartPostgresAsync(DateTimeOffset _)
    {
        await servers.Postgres.StartAgainAsync();
        day.Users.Reached = true;
    }

    /// <summary>The API server of Kubernetes goes away.</summary>
    public async Task StopKubernetesAsync(DateTimeOffset at)
    {
        _blindFrom ??= at;
        day.Platform.Watched = false;
        await servers.Cluster.StopAsync();
    }

    /// <summary>It is back, and no longer knows the versions from before (410).</summary>
    public async Task StartKubernetesExpiredAsync(DateTimeOffset _)
    {
        servers.Cluster.Expire();
        await servers.Cluster.RestartAsync();
    }

    /// <summary>The watches break; what happened meanwhile is still known.</summary>
    public Task CutWatchesAsync(DateTimeOffset at)
    {
        _blindFrom ??= at;
        servers.Cluster.CutWatches();
        return Task.CompletedTask;
    }

    /// <summary>A replica of the API is replaced.</summary>
    public Task RestartReplicaAsync(DateTimeOffset _) => day.Platform.StartReplicaAsync();

    /// <summary>Someone sets the platform's clocks.</summary>
    public Func<DateTimeOffset, Task> Step(double api, double cluster) =>
        at =>
        {
            apiClock.Step(TimeSpan.FromSeconds(api));
            clusterClock.Step(TimeSpan.FromSeconds(cluster));
            day.WasSet(at, TimeSpan.FromSeconds(Math.Max(Math.Abs(api), Math.Abs(cluster))));
            return Task.CompletedTask;
        };

    /// <summary>Waits until we watch and listen again.</summary>
    public async Task HealAsync()
    {
        await installation.Host.LineAsync("sign-in?code=");
        _listens = true;
        await Eventually.GetAsync(
            "both watches",
            () =>
                Task.FromResult(
                    servers.Cluster.OpenWatches("sessions") == 1 && servers.Cluster.OpenWatches("pods") == 1
                        ? "so"
                        : null
                )
        );
        await installation.SourceIsAsync("kubernetes", "up");
        await installation.SourceIsAsync("nats", "up");
        day.Platform.Attended();
        if (_blindFrom is { } from)
        {
            day.WasBlind(from, TimeProvider.System.GetUtcNow());
            _blindFrom = null;
        }
    }

    private void Deafen(DateTimeOffset at)
    {
        _blindFrom ??= at;
        _listens = false;
        (day.Platform.Watched, day.Platform.Heard) = (false, false);
    }
}
