using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Sources.Webhooks;
using Xunit;
using static StreamSpace.Platform.Tests.Support.Some;

namespace StreamSpace.Platform.Tests.Webhooks;

public sealed class WebhookSourceTests
{
    private readonly Channel<ObservationBatch> _output = Channel.CreateUnbounded<ObservationBatch>();
    private readonly FakeTimeProvider _clock = new(Morning);

    [Fact]
    public async Task WhoPostsBeforeItRunsWaitsForItAndWhoPostsAfterItsEndIsRefusedAtOnce()
    {
        var source = new WebhookSource(_clock, ownsUsers: true);
        var taking = source.TakeAsync([Create("s", 0)], CancellationToken.None);
        taking.IsCompleted.ShouldBeFalse();
        using var stop = new CancellationTokenSource();
        var running = source.RunAsync(_output.Writer, null, stop.Token);
        var batch = await _output.Reader.ReadAsync().AsTask().WaitAsync(Patience.Enough);
        batch.Durable.ShouldNotBeNull().SetResult(true);
        (await taking).ShouldBeTrue();

        await stop.CancelAsync();
        await running.ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext
        );
        (await source.TakeAsync([Create("t", 0)], CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public async Task NobodyWaitsForItLongerThanTenSeconds()
    {
        var taking = new WebhookSource(_clock, ownsUsers: true).TakeAsync([Create("s", 0)], CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(10));
        (await taking.WaitAsync(Patience.Enough)).ShouldBeFalse();
    }
}
