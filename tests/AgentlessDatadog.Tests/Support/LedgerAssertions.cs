using AgentlessDatadog.Signals;
using AgentlessDatadog.Store;
using Shouldly;

namespace AgentlessDatadog.Tests.Support;

public static class LedgerAssertions
{
    public static void ShouldBe(
        this LaneLedger ledger,
        long accepted,
        long delivered = 0,
        long queued = 0,
        long overflowed = 0,
        long expired = 0,
        long rejected = 0
    ) =>
        (
            ledger.Accepted,
            ledger.Delivered,
            ledger.Queued,
            ledger.Overflowed,
            ledger.Expired,
            ledger.Rejected,
            ledger.Uncertain
        ).ShouldBe((accepted, delivered, queued, overflowed, expired, rejected, 0L));

    public static void ShouldBalance(this LaneLedger ledger)
    {
        var sum =
            ledger.Delivered + ledger.Queued + ledger.Overflowed + ledger.Expired + ledger.Rejected + ledger.Uncertain;
        sum.ShouldBe(ledger.Accepted);
        ledger.Reasons.Values.Sum().ShouldBe(ledger.Expired + ledger.Rejected + ledger.Uncertain);
        ledger.Queued.ShouldBeGreaterThanOrEqualTo(0);
    }

    /// <summary>What the store would bring back is what the pipeline says.</summary>
    internal static async Task ShouldAgreeAsync(this FailingStore store, Rig rig)
    {
        var contents = await store.ContentsAsync();
        var kept = new Ledger();
        kept.Book(contents.Ledger);
        foreach (var lane in Lane.All)
        {
            var said = rig.Ledger(lane);
            said.ShouldBalance();
            (kept.Of(lane) with { Reasons = said.Reasons }).ShouldBe(said);
            contents.Outbox.Where(h => h.Lane == lane).Sum(h => h.Units).ShouldBe(said.Queued);
        }
    }
}
