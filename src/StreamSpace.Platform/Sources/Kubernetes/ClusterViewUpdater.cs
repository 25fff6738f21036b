using System.Threading.Channels;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>
/// Lets one part of the source at a time change the view of the cluster, and hands on what that brought to light, in
/// the same order.
/// </summary>
internal sealed class ClusterViewUpdater(
    string source,
    ISet<string> lookedAt,
    IReadOnlyCollection<string> namespaces,
    ChannelWriter<ObservationBatch> output,
    TimeProvider clock
) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly ClusterView _view = new(clock);
    private readonly HashSet<string> _listed = new(StringComparer.Ordinal);

    /// <summary>What a namespace's sessions by this witness are called in the checkpoint.</summary>
    public static string Part(Witness witness, string @namespace) =>
        witness is Witness.Workload ? $"{@namespace}/deployments" : @namespace;

    /// <summary>
    /// True when the sessions of <paramref name="namespace"/> by this witness were looked at in full, now or in an earlier run.
    /// </summary>
    public bool LookedBefore(Witness witness, string @namespace) => lookedAt.Contains(Part(witness, @namespace));

    /// <summary>Works with the view; what <paramref name="work"/> adds to its list is handed on.</summary>
    public async ValueTask TakeTurnAsync(
        Action<ClusterView, List<Observation>> work,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var seen = new List<Observation>();
            work(_view, seen);
            if (seen.Count > 0)
            {
                await output.WriteAsync(new ObservationBatch(source, seen), cancellationToken);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// The sessions of a namespace are listed in full by this witness. With the last namespace of a run, that is all there
    /// is: what ended while nobody looked comes to light.
    /// </summary>
    public async ValueTask ListedAsync(
        Witness witness,
        string @namespace,
        Action<ClusterView, List<Observation>> work,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var seen = new List<Observation>();
            work(_view, seen);
            if (_listed.Add(Part(witness, @namespace)) && namespaces.All(name => _listed.Contains(Part(witness, name))))
            {
                seen.Add(_view.All(witness));
            }
            lookedAt.Add(Part(witness, @namespace));
            var checkpoint = string.Join(',', lookedAt.Order(StringComparer.Ordinal));
            await output.WriteAsync(new ObservationBatch(source, seen, checkpoint), cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();
}
