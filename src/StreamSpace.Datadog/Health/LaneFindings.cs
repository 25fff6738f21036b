using AgentlessDatadog;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Health;

/// <summary>What the lanes wait for. Those that wait for one and the same thing are one finding.</summary>
internal static class LaneFindings
{
    private const string OwnEndpoint = "tracesEndpoint";

    private const string MendOwnEndpoint =
        "See that what tracesEndpoint names runs, and takes OTLP over HTTP there; traces go to site when it is taken out.";

    /// <param name="lanes">How they stand.</param>
    /// <param name="hasKey">False where it is told already that there is no key, which all of them wait for.</param>
    /// <param name="tracesEndpoint">Where traces go in place of Datadog, or null.</param>
    public static IEnumerable<CheckFinding> Of(IReadOnlyList<LaneStatus> lanes, bool hasKey, Uri? tracesEndpoint) =>
        lanes
            .Where(lane => lane.Failure is not null && !(lane.ParkReason is ParkReason.KeyMissing && !hasKey))
            // Of a refusal it is asked first what it means.
            .Where(lane => lane.ParkReason is not null || lane.Failure!.Verdict is Verdict.Wait)
            .Where(lane => lane is not { ParkReason: ParkReason.Unexplained, State: LaneState.Parked, NextTry: null })
            .GroupBy(lane => About(lane, IsOwn(lane.Lane, tracesEndpoint)))
            .Select(group => Finding(group.Key, [.. group]))
            .Concat(lanes.Where(HasRejected).Select(Rejected));

    /// <summary>What a canary has shown of its lane.</summary>
    /// <param name="test">What was answered.</param>
    /// <param name="tracesEndpoint">Where traces go in place of Datadog, or null.</param>
    public static CheckFinding Of(LaneTest test, Uri? tracesEndpoint)
    {
        var finding = Of(test);
        return finding.Fix is not null && IsOwn(test.Lane, tracesEndpoint) && IsOfTheWay(test.ParkReason)
            ? finding with
            {
                Fix = MendOwnEndpoint,
            }
            : finding;
    }

    private static CheckFinding Of(LaneTest test) =>
        test switch
        {
            { Verdict: Verdict.Delivered, Message: null } => new(
                $"lane {test.Lane}",
                CheckVerdict.Good,
                $"A canary was taken ({test.Status}, {(long)test.Took.TotalMilliseconds} ms)."
            ),
            { Verdict: Verdict.Delivered or Verdict.Bad } => new(
                $"lane {test.Lane}",
                CheckVerdict.Error,
                $"A canary was rejected: {test.Message}.",
                "Compare intakeUrl and site with Datadog's own; if they are right, report this with its words."
            ),
            { ParkReason: { } reason } => new(
                $"lane {test.Lane}",
                CheckVerdict.Error,
                $"A canary was refused: {test.Message}.",
                Fix(reason)
            ),
            { Status: not null } => new(
                $"lane {test.Lane}",
                CheckVerdict.Warning,
                $"A canary was put off: {test.Message}.",
                "Try again in some minutes: while this lasts, everything is kept and waits."
            ),
            _ => new(
                $"lane {test.Lane}",
                CheckVerdict.Error,
                $"A canary got no answer: {test.Message}.",
                "Look at the name servers of this machine, and open the way to https on port 443, or set proxy."
            ),
        };

    private static bool IsOwn(string lane, Uri? tracesEndpoint) =>
        lane == "traces" && tracesEndpoint is not null && !Sites.Owns(tracesEndpoint);

    // Of the key Datadog itself was asked.
    private static bool IsOfTheWay(ParkReason? reason) =>
        reason is not (ParkReason.KeyMissing or ParkReason.KeyUnknown or ParkReason.OtherSite);

    private static string About(LaneStatus lane, bool isOwn) =>
        lane switch
        {
            { Failure.Alone: not null, Verdict: Verdict.Delivered } => $"request of {lane.Lane}",
            _ when isOwn && IsOfTheWay(lane.ParkReason) => OwnEndpoint,
            { ParkReason: null } => "intake",
            { ParkReason: ParkReason.NotDatadog } => "way to Datadog",
            { ParkReason: ParkReason.ProductRefused or ParkReason.NotOffered } => $"intake for {lane.Lane}",
            _ => "API key",
        };

    private static CheckFinding Finding(string about, IReadOnlyList<LaneStatus> lanes)
    {
        var (names, first) = (Joined([.. lanes.Select(lane => lane.Lane)]), lanes[0]);
        var errors = string.Join(
            "; ",
            lanes.Select(lane => (lane.LastError ?? lane.Failure!.Error).TrimEnd('.')).Distinct()
        );
        return first switch
        {
            { Failure.Alone: { } alone, Verdict: Verdict.Delivered } => new(
                about,
                CheckVerdict.Warning,
                alone,
                "Look for whoever answers so, a proxy perhaps: nothing else waits for this request."
            ),
            { ParkReason: { } reason } => new(
                about,
                CheckVerdict.Error,
                $"The {names} are kept and wait: {errors}.",
                about == OwnEndpoint ? MendOwnEndpoint : Fix(reason)
            ),
            _ => new(
                about,
                CheckVerdict.Warning,
                $"The {names} wait, and are sent again by themselves: {errors}.",
                first.Failure!.Status switch
                {
                    _ when about == OwnEndpoint => MendOwnEndpoint,
                    null =>
                        "Look at site or intakeUrl, at the name servers of this machine, and whether https (port 443) is open; behind a proxy set proxy.",
                    429 => "Raise metricsInterval, or ask Datadog for a higher limit of requests.",
                    _ => "There is nothing to do unless it lasts: then look at https://status.datadoghq.com.",
                }
            ),
        };
    }

    // Some of what was delivered may have been rejected, as spans are singly.
    private static bool HasRejected(LaneStatus lane) =>
        lane
            is { State: LaneState.Open, Verdict: Verdict.Bad }
                or { State: LaneState.Open, Verdict: Verdict.Delivered, LastError: not null, Failure: null };

    // Of the last that was sent: it is over with the next that is taken.
    private static CheckFinding Rejected(LaneStatus lane) =>
        new(
            $"{lane.Unit} rejected",
            CheckVerdict.Warning,
            $"Some {lane.Unit} were rejected for good: {lane.LastError}.",
            "Look for what its words name in what was sent."
        );

    private static string Fix(ParkReason reason) =>
        reason switch
        {
            ParkReason.KeyMissing => "Set DD_API_KEY, or apiKey in the config.",
            ParkReason.OtherSite => "Set site (or DD_SITE) to that site.",
            ParkReason.ProductRefused =>
                "Allow it to the key's organization (Organization Settings in Datadog), or switch it off in the config.",
            ParkReason.NotOffered =>
                "Set tracesEndpoint to an Agent or collector of your own, or enableTraces to false.",
            ParkReason.NotDatadog =>
                "Open the way to Datadog in that proxy or firewall, or set proxy or intakeUrl right.",
            _ => "Check that site is the one of your account, then make a new key in Organization Settings → API Keys.",
        };

    private static string Joined(IReadOnlyList<string> names) =>
        names.Count == 1 ? names[0] : $"{string.Join(", ", names.SkipLast(1))} and {names[^1]}";
}
