using System.Threading.Channels;
using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>Says what a test tells it to.</summary>
internal sealed class ScriptedSource(string name = "scripted") : ISource
{
    private readonly Channel<ObservationBatch> _script = Channel.CreateUnbounded<ObservationBatch>();

    public string Name => name;

    public SourceStatus Status => new(name, State, "Scripted.", Some.Morning);

    public SourceState State { get; set; } = SourceState.Connecting;

    public bool IsCatchingUp => CatchesUp();

    /// <summary>Answers whether it is catching up, each time that it is asked.</summary>
    public Func<bool> CatchesUp { get; init; } = () => false;

    /// <summary>The checkpoint that it was started with.</summary>
    public TaskCompletionSource<string?> StartedWith { get; } = new();

    /// <summary>How many batches the watch has been given.</summary>
    public int HandedOn { get; private set; }

    /// <summary>Throws at its first start.</summary>
    public bool BreaksOnce { get; set; }

    public void Say(string? checkpoint, params Observation[] seen) =>
        _script.Writer.TryWrite(new ObservationBatch(name, seen, checkpoint));

    public async Task RunAsync(
        ChannelWriter<ObservationBatch> output,
        string? checkpoint,
        CancellationToken cancellationToken
    )
    {
        StartedWith.TrySetResult(checkpoint);
        if (BreaksOnce)
        {
            BreaksOnce = false;
            throw new InvalidOperationException("broke");
        }
        await foreach (var batch in _script.Reader.ReadAllAsync(cancellationToken))
        {
            await output.WriteAsync(batch, cancellationToken);
            HandedOn++;
        }
    }
}
