using NATS.Client.Core;
using StreamSpace.Platform.Tests.Kubernetes;
using StreamSpace.Platform.Tests.Support;

namespace EndToEnd.Support;

/// <summary>
/// StreamSpace's API, of two replicas, and its controller, as they write sessions to Kubernetes and NATS
/// (docs/reference/streamspace.md §4, §3). Beside what it does it keeps account of what really happened, and of what could
/// come to the ears of one who is attached.
/// </summary>
/// <param name="servers">What it writes to.</param>
/// <param name="clock">The API's.</param>
/// <param name="chance">Its habits.</param>
public sealed class SimulatedStreamSpace(StreamSpaceServers servers, PlatformClock clock, Random chance)
    : IAsyncDisposable
{
    private readonly UpstreamMessages _says = new(chance.Next(), "kubernetes", TimeSpan.FromHours(-7));
    private readonly List<DayLife> _lives = [];
    private readonly Queue<UpstreamMessage> _unsent = new();
    private NatsConnection? _client;

    /// <summary>Every life there was.</summary>
    public IReadOnlyList<DayLife> Lives => _lives;

    /// <summary>True while whoever watches Kubernetes sees each change, now or when its watch goes on.</summary>
    public bool Watched { get; set; } = true;

    /// <summary>True while someone listens on NATS.</summary>
    public bool Heard { get; set; } = true;

    /// <summary>True while NATS is reached.</summary>
    public bool Connected => _client is not null;

    /// <summary>True while the stream takes what is published.</summary>
    public bool StreamThere { get; private set; }

    private FakeCluster Cluster => servers.Cluster;

    private DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>An API replica starts: it makes the streams. What another one had not sent yet is lost with it.</summary>
    public async Task StartReplicaAsync()
    {
        _unsent.Clear();
        await DisconnectAsync();
        await ConnectAsync();
        await NatsServer.CreateStreamsAsync(_client!);
        StreamThere = true;
    }

    /// <summary>NATS is back: what was kept for it is sent.</summary>
    public async Task ConnectAsync()
    {
        _client = await servers.ConnectAsync();
        while (_unsent.TryDequeue(out var message))
        {
            await message.PublishAsync(_client);
        }
        await _client.PingAsync();
    }

    /// <summary>NATS goes away.</summary>
    public async Task DisconnectAsync()
    {
        if (_client is { } client)
        {
            _client = null;
            await client.PingAsync();
            await client.DisposeAsync();
        }
    }

    /// <summary>What the stream had is lost; what was said and not heard is known to nobody.</summary>
    public void LoseStream()
    {
        StreamThere = false;
        _lives.ForEach(l => l.Stored = false);
    }

    /// <summary>Someone looks and listens again: what is there, and what the stream has, is known now.</summary>
    public void Attended()
    {
        (Watched, Heard) = (true, true);
        _lives.ForEach(l => l.Known |= l.There || l.Stored);
    }

    /// <summary>A session is asked for.</summary>
    public async Task<DayLife> BeginAsync(DateTimeOffset at, DayLife life)
    {
        _lives.Add(life);
        if (life.Origin is Origin.Api)
        {
            await SayCreateAsync(life);
            life.Life.Create(at, at);
        }
        else
        {
            life.Life.Create(at, at);
            Make(life);
            if (life.Origin is Origin.Template)
            {
                await SayCreateAsync(life);
            }
        }
        return life;
    }

    /// <summary>The controller makes what a session consists of, and says "running" long before it is.</summary>
    public async Task ProvideAsync(DayLife life)
    {
        if (!life.There)
        {
            Make(life);
        }
        life.Pods++;
        Cluster.CreatePod(life.Pod, life.Life.Id, life.UserWord, life.Life.Template);
        await SayAsync(_says.Status(life.Life.Id, "Running", Now));
    }

    /// <summary>The pod is ready.</summary>
    public async Task ReadyAsync(DateTimeOffset at, DayLife life)
    {
        Cluster.Ready(life.Pod);
        Cluster.Phase(life.Life.Id, "Running");
        life.Life.Run(at);
        await SayAsync(_says.Status(life.Life.Id, "Running", Now));
        await SayAsync(_says.Status(life.Life.Id, "Running", Now));
    }

    /// <summary>It sleeps: someone asked for it, or nobody has used it for long, which both replicas notice.</summary>
    public async Task SleepAsync(DateTimeOffset at, DayLife life)
    {
        var idle = chance.Next(2) == 0;
        if (!idle)
        {
            await SayAsync(_says.Hibernate(life.Life.Id, life.UserWord, Now));
        }
        Cluster.Want(life.Life.Id, "hibernated");
        life.Life.Sleep(at);
        life.Asleep = true;
        Cluster.DeletePod(life.Pod);
        Cluster.Phase(life.Life.Id, "Hibernated");
        await SayAsync(_says.Status(life.Life.Id, "Hibernated", Now));
        for (var replica = 0; idle && replica < 2; replica++)
        {
            await SayAsync(_says.Hibernate(life.Life.Id, life.UserWord, Now));
        }
    }

    /// <summary>It is to run again.</summary>
    public async Task WakeAsync(DateTimeOffset at, DayLife life)
    {
        await SayAsync(_says.Wake(life.Life.Id, life.UserWord, Now));
        Cluster.Want(life.Life.Id, "running");
        life.Life.Run(at);
        life.Asleep = false;
        await ProvideAsync(life);
    }

    /// <summary>It breaks. Nobody says so.</summary>
    public void Break(DateTimeOffset at, DayLife life)
    {
        Cluster.Phase(life.Life.Id, "Failed", "no such template");
        life.Life.Fail(at);
    }

    /// <summary>The controller cannot make it: there never is a resource.</summary>
    public async Task RefuseAsync(DateTimeOffset at, DayLife life)
    {
        await SayAsync(_says.CreationFailed(life.Life.Id, "quota", Now));
        life.Life.Fail(at);
    }

    /// <summary>Its end is asked for, where the API is asked; a finalizer may hold it.</summary>
    /// <returns>True when it is held.</returns>
    public async Task<bool> EndAsync(DateTimeOffset at, DayLife life, bool mayHold = true)
    {
        // Without NATS the controller hears nothing from the API: then it is done by hand.
        if (life.Origin is not Origin.Kubectl && Connected)
        {
            await SayAsync(_says.Delete(life.Life.Id, life.UserWord, Now));
            if (chance.Next(3) == 0)
            {
                await SayAsync(_says.Delete(life.Life.Id, life.UserWord, Now));
            }
        }
        if (mayHold && chance.Next(2) == 0)
        {
            Cluster.BeginDelete(life.Life.Id);
            life.Life.Sleep(at);
            return true;
        }
        Remove(at, life);
        return false;
    }

    /// <summary>It is gone; on Kubernetes no message says so.</summary>
    public void Remove(DateTimeOffset at, DayLife life)
    {
        Cluster.DeletePod(life.Pod);
        Cluster.DeleteSession(life.Life.Id);
        life.Life.End(at);
        life.There = false;
    }

    public async ValueTask DisposeAsync() => await DisconnectAsync();

    private void Make(DayLife life)
    {
        Cluster.CreateSession(life.Life.Id, life.UserWord, life.Life.Template);
        life.There = true;
        life.Known |= Watched;
    }

    private async Task SayCreateAsync(DayLife life)
    {
        await SayAsync(_says.Create(life.Life.Id, life.UserWord, life.Life.Template, Now));
        life.Known |= Heard && Connected;
        life.Stored |= StreamThere && Connected;
    }

    private async Task SayAsync(UpstreamMessage message)
    {
        if (_client is null)
        {
            _unsent.Enqueue(message);
            return;
        }
        await message.PublishAsync(_client);
        if (chance.Next(6) == 0)
        {
            await message.PublishAsync(_client);
        }
        await _client.PingAsync();
    }
}
