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
}
