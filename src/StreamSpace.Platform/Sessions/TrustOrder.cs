using StreamSpace.Platform.Sources;

namespace StreamSpace.Platform.Sessions;

/// <summary>
/// Who is believed about a session, for one version of StreamSpace: docs/attach.md has it as a table. What is only said
/// of a session comes after all who look at it.
/// </summary>
internal sealed class TrustOrder
{
    /// <summary>The resource, together with its pods.</summary>
    public static readonly TrustOrder V1 = new([Witness.Resource]);

    /// <summary>
    /// The row, together with the deployment and its pods: the row is told by the API, which does not learn what becomes of
    /// its commands, and a deployment knows nothing of what was asked for.
    /// </summary>
    public static readonly TrustOrder V2 = new([Witness.Row, Witness.Workload]);

    // What one witness knows and another does not is the later news.
    private static readonly ReportedStatus[] Strongest =
    [
        ReportedStatus.Ended,
        ReportedStatus.Failed,
        ReportedStatus.Ending,
        ReportedStatus.Hibernated,
        ReportedStatus.Running,
        ReportedStatus.Pending,
        ReportedStatus.Requested,
    ];

    private readonly IReadOnlyList<Witness> _witnesses;

    private TrustOrder(IReadOnlyList<Witness> witnesses) => _witnesses = witnesses;

    /// <summary>The order of the version that a witness belongs to.</summary>
    public static TrustOrder Of(Witness witness) => V2._witnesses.Contains(witness) ? V2 : V1;

    /// <summary>Those whose word on whether there is such a session goes before that of <paramref name="witness"/>.</summary>
    public IEnumerable<Witness> Before(Witness witness) => _witnesses.TakeWhile(w => w != witness);

    /// <summary>Those whose word on that comes after.</summary>
    public IEnumerable<Witness> After(Witness witness) => _witnesses.SkipWhile(w => w != witness).Skip(1);

    /// <summary>How a session stands, by all of them together; null when none of them has said anything.</summary>
    public ReportedStatus? Combined(Testimony testimony)
    {
        foreach (var status in Strongest)
        {
            foreach (var witness in _witnesses)
            {
                if (testimony.By(witness) == status)
                {
                    return status;
                }
            }
        }
        return null;
    }
}
