using System.Text.Json;
using AgentlessDatadog.Tests.Support;
using OpenTelemetry.Proto.Trace.V1;
using Shouldly;

namespace EndToEnd.Support;

/// <summary>Compares the traces and logs that a sandbox was sent with what really happened.</summary>
public sealed class TraceJudge(SandboxClient sandbox, IReadOnlyList<PlayedLife> lives)
{
    private const string Start = "streamspace.session.start";
    private const string Run = "streamspace.session.run";
    private const string End = "streamspace.session.end";

    /// <summary>Every id is there once, every parent in its trace, and every link leads somewhere.</summary>
    public async Task NoSpanIsAnOrphanOrRepeatedAsync()
    {
        var spans = await SpansAsync();
        spans.Count.ShouldBeGreaterThan(lives.Count);
        spans.Select(span => span.SpanId).ShouldBeUnique();
        var places = spans.Select(span => (span.TraceId, span.SpanId)).ToHashSet();
        foreach (var span in spans)
        {
            if (span.ParentSpanId.Length > 0)
            {
                places.ShouldContain((span.TraceId, span.ParentSpanId), $"the parent of {span.Name}");
            }
            foreach (var link in span.Links)
            {
                places.ShouldContain((link.TraceId, link.SpanId), $"the link of {span.Name}");
            }
        }
        spans.Where(span => span.ParentSpanId.Length == 0).Select(span => span.TraceId).ShouldBeUnique();
    }

    /// <summary>
    /// Each life has one start and, when it is over, one end; start and runs together are its running time, as near as
    /// <paramref name="doubt"/> (seconds) says.
    /// </summary>
    public async Task EachLifeIsTracedOnceAsync(Func<PlayedLife, double> doubt, DateTimeOffset at)
    {
        var roots = (await SpansAsync()).Where(span => span.ParentSpanId.Length == 0).ToLookup(Session);
        foreach (var life in lives.GroupBy(life => life.Id))
        {
            var of = roots[life.Key].ToList();
            var told = $"{string.Join('\n', life)}\n{string.Join('\n', of.Select(Told))}";
            of.Count(span => span.Name == Start)
                .ShouldBe(life.Count(l => l.FirstRun is not null || l.Failed is not null || l.Ended is not null), told);
            of.Count(span => span.Name == End).ShouldBe(life.Count(l => l.Ended is not null), told);
            if (life.Count() == 1 && life.Single() is { Ended: not null } ended)
            {
                of.Where(span => span.Name is Start or Run)
                    .Sum(Seconds)
                    .ShouldBe(ended.AwakeSeconds(at), doubt(ended), told);
            }
        }
    }

    /// <summary>Each life's request and end is one entry; the host's own log is there, and the web server's is not.</summary>
    public async Task EachLifeIsLoggedOnceAsync()
    {
        var entries = (await BodiesAsync("/api/v2/logs"))
            .SelectMany(body => JsonSerializer.Deserialize<JsonElement[]>(body)!)
            .ToList();
        foreach (var life in lives.GroupBy(life => life.Id))
        {
            var of = entries
                .Where(entry => Text(entry, "session") == life.Key)
                .ToLookup(entry => Text(entry, "evt.name"));
            of["session.requested"].Count().ShouldBe(life.Count(), life.Key);
            of["session.ended"].Count().ShouldBe(life.Count(l => l.Ended is not null), life.Key);
            of["session.failed"].Count().ShouldBe(life.Count(l => l.Failed is not null), life.Key);
        }
        entries.ShouldContain(entry => Text(entry, "logger.name") == "StreamSpace.PluginHost");
        entries.ShouldNotContain(entry => Text(entry, "logger.name").StartsWith("Microsoft.AspNetCore.Hosting"));
    }

    // What is sent again, because nobody could tell whether it had arrived, are the same bytes.
    private async Task<IReadOnlyList<Span>> SpansAsync() =>
        [
            .. (await BodiesAsync("/v1/traces"))
                .SelectMany(body => SpanCheck.Read(body).ResourceSpans)
                .SelectMany(resource => resource.ScopeSpans)
                .SelectMany(scope => scope.Spans),
        ];

    private async Task<IReadOnlyList<byte[]>> BodiesAsync(string path) =>
        [
            .. (await sandbox.GetAsync($"/sandbox/payloads?path={path}"))
                .GetProperty("payloads")
                .EnumerateArray()
                .Select(payload => payload.GetProperty("body").GetString()!)
                .Distinct()
                .Select(Convert.FromBase64String),
        ];

    private static string Session(Span span) =>
        span.Attributes.SingleOrDefault(attribute => attribute.Key == "session")?.Value.StringValue ?? "";

    private static double Seconds(Span span) =>
        (span.EndTimeUnixNano - span.StartTimeUnixNano) / (double)TimeSpan.NanosecondsPerTick / TimeSpan.TicksPerSecond;

    private static string Told(Span span) =>
        $"{span.Name} {DateTimeOffset.FromUnixTimeMilliseconds((long)(span.StartTimeUnixNano / 1_000_000)):HH:mm:ss.fff}, "
        + $"{Seconds(span):0.###} s, {Convert.ToHexStringLower(span.SpanId.Span)}";

    private static string Text(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) ? value.ToString() : "";
}
