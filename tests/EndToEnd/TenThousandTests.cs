using System.Diagnostics;
using EndToEnd.Support;
using Shouldly;
using StreamSpace.Platform.Tests.Kubernetes;
using Xunit;

namespace EndToEnd;

/// <summary>Measures, and is run only when asked for by name.</summary>
public sealed class TenThousandTests
{
    private const int Count = 10_000;

    [Fact(Explicit = true)]
    public async Task FromTheStartToTheFirstCorrectFlush_OnlyWhenAskedForItIsAMeasurement()
    {
        await using var cluster = await FakeCluster.StartAsync(TimeProvider.System);
        for (var i = 0; i < Count; i++)
        {
            cluster.RunSession($"session-{i}", $"user-{i % 4000}", $"template-{i % 20}");
            cluster.Use($"ss-session-{i}", "250m", "1Gi");
        }
        cluster.Expire();
        var from = TimeProvider.System.GetUtcNow().AddMinutes(-1);
        var watch = Stopwatch.StartNew();
        await using var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string> { ["KUBECONFIG"] = cluster.KubeConfig }
        );
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"serving: {watch.ElapsedMilliseconds} ms");
        var first = await Eventually.GetAsync(
            "a flush with any session",
            async () =>
                (
                    await installation.Sandbox.QueryAsync(
                        "sum:streamspace.session.active{*}.rollup(max, 1)",
                        from,
                        TimeProvider.System.GetUtcNow().AddMinutes(1)
                    )
                )
                    is [{ Points: [var point, ..] }, ..]
                    ? $"{point.Value}"
                    : null
        );
        output.WriteLine($"first flush, with {first} active sessions: {watch.ElapsedMilliseconds} ms");
        first.ShouldBe($"{Count}");
    }
}
