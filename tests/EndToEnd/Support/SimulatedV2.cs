using StreamSpace.Platform.Tests.Kubernetes;
using StreamSpace.Platform.Tests.Postgres;

namespace EndToEnd.Support;

/// <summary>
/// StreamSpace 2 as it writes rows and Kubernetes objects (docs/reference/streamspace.md §8): its API, which never learns
/// what becomes of its commands, and its agent, which reports once, when a pod is ready. Beside what it does it keeps
/// account of what really happened.
/// </summary>
public sealed class SimulatedV2(StreamSpaceServers servers, PlatformClock clock)
{
    private readonly UpstreamV2 _rows = new(servers.Database);
    private readonly FakeAgent _agent = new(servers.Cluster);
    private readonly Dictionary<PlayedLife, string> _pods = [];
    private readonly List<PlayedLife> _lives = [];

    /// <summary>Every life there was.</summary>
    public IReadOnlyList<PlayedLife> Lives => _lives;

    /// <summary>False while PostgreSQL is away: the API then does nothing, and what the agent reports is lost.</summary>
    public bool ReachesDatabase { get; set; } = true;

    private DateTime Wall => clock.GetUtcNow().UtcDateTime;

    /// <summary>The API of version 2 takes the place of the former one's; an agent connects, and another asks for approval.</summary>
    public async Task UpgradeAsync()
    {
        await _rows.UpgradeAsync();
        await _rows.ConnectAgentAsync(Wall);
        await _rows.ConnectAgentAsync(Wall, "docker-1", "docker");
        await _rows.AskForApprovalAsync(Wall, "stranger");
    }

    /// <summary>The agents' heartbeats.</summary>
    public async Task BeatAsync()
    {
        await _rows.ConnectAgentAsync(Wall);
        await _rows.ConnectAgentAsync(Wall, "docker-1", "docker");
    }

    /// <summary>POST /api/v1/sessions.</summary>
    public async Task<PlayedLife> RequestAsync(DateTimeOffset at, PlayedLife life, string agent = UpstreamV2.Agent)
    {
        _lives.Add(life);
        life.Request(at);
        var platform = agent == UpstreamV2.Agent ? "kubernetes" : "docker";
        await _rows.RequestAsync(life.Id, life.User, life.Template, Wall, agent, platform);
        return life;
    }

    /// <summary>The agent makes the deployment, and its pod comes.</summary>
    public void Provide(PlayedLife life) => _pods[life] = _agent.Start(life.Id, life.User, life.Template);

    /// <summary>The pod is ready: the resource is made, and the agent reports once.</summary>
    public async Task ReadyAsync(DateTimeOffset at, PlayedLife life)
    {
        life.Run(at);
        _agent.Ready(life.Id, _pods[life], life.User, life.Template);
        if (ReachesDatabase)
        {
            await _rows.RunAsync(life.Id, Wall);
        }
    }

    /// <summary>PUT …/hibernate.</summary>
    public async Task HibernateAsync(DateTimeOffset at, PlayedLife life)
    {
        life.Sleep(at);
        await _rows.HibernateAsync(life.Id, Wall);
    }

    /// <summary>The agent does what the API has asked for.</summary>
    public void Scale(PlayedLife life) => _agent.Hibernate(life.Id, _pods[life]);

    /// <summary>A batch route sets the state, without the time; the pod runs on.</summary>
    public async Task BatchHibernateAsync(DateTimeOffset at, PlayedLife life)
    {
        life.Sleep(at);
        await _rows.BatchAsync(life.Id, "hibernated");
    }

    /// <summary>DELETE …, which the reconciler repeats.</summary>
    public async Task TerminateAsync(DateTimeOffset at, PlayedLife life)
    {
        life.End(at);
        await _rows.TerminateAsync(life.Id, Wall);
        await _rows.RepeatStopAsync(life.Id, Wall);
    }

    /// <summary>The agent does what the API has asked for; the resource stays.</summary>
    public void Stop(PlayedLife life) => _agent.Stop(life.Id, _pods[life]);

    /// <summary>Somebody deletes the deployment by hand: the row says <c>running</c> for ever.</summary>
    public void StopByHand(DateTimeOffset at, PlayedLife life)
    {
        life.End(at);
        Stop(life);
    }

    /// <summary>It could not be made.</summary>
    public async Task FailAsync(DateTimeOffset at, PlayedLife life)
    {
        life.Fail(at);
        life.End(at);
        await _rows.SetStateAsync(life.Id, "failed", Wall);
    }

    /// <summary>A batch route deletes the row; the deployment stays.</summary>
    public async Task BatchDeleteAsync(DateTimeOffset at, PlayedLife life)
    {
        life.End(at);
        await _rows.BatchDeleteAsync(life.Id);
    }

    /// <summary>DELETE /api/v1/users/:id takes the user's rows along; their deployments stay.</summary>
    public async Task DeleteUserAsync(DateTimeOffset at, string user)
    {
        foreach (var life in _lives.Where(l => l.User == user && l.Ended is null))
        {
            life.End(at);
        }
        await servers.Database.DeleteUserAsync(user);
    }

    /// <summary>A session of which its row alone tells that it runs: its agent is elsewhere.</summary>
    public async Task MarkRowAsync(DateTimeOffset at, PlayedLife life)
    {
        await RequestAsync(at, life, "docker-1");
        life.Run(at);
        await _rows.RunAsync(life.Id, Wall);
    }

    /// <summary>A session of which its deployment alone tells that it runs: the agent's report is lost.</summary>
    public async Task MarkDeploymentAsync(DateTimeOffset at, PlayedLife life)
    {
        await RequestAsync(at, life);
        life.Run(at);
        Provide(life);
        _agent.Ready(life.Id, _pods[life], life.User, life.Template);
    }

    /// <summary>A session of version 1, made by hand: its resource alone tells of it, also after the upgrade.</summary>
    public PlayedLife RunV1(DateTimeOffset at, PlayedLife life)
    {
        _lives.Add(life);
        life.Create(at, at);
        life.Run(at);
        servers.Cluster.RunSession(life.Id, life.User, life.Template);
        return life;
    }

    /// <summary>It is deleted by hand.</summary>
    public void EndV1(DateTimeOffset at, PlayedLife life)
    {
        life.End(at);
        servers.Cluster.DeletePod($"ss-{life.Id}");
        servers.Cluster.DeleteSession(life.Id);
    }
}
