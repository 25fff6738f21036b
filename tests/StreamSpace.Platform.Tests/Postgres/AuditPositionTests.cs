using Shouldly;
using StreamSpace.Platform.Sources.Postgres;
using Xunit;

namespace StreamSpace.Platform.Tests.Postgres;

public sealed class AuditPositionTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public void WhatIsMissedIsAHoleUntilItShows()
    {
        var position = new AuditPosition(10);

        position.Take([Row(14), Row(15)], Now);
        position.Holes.ShouldBe([new AuditHole(11, 13, Now)]);
        position.Take([Row(12)], Now.AddSeconds(1));
        position.Holes.ShouldBe([new AuditHole(11, 11, Now), new AuditHole(13, 13, Now)]);
        position.Take([Row(11), Row(13), Row(16)], Now.AddSeconds(2));

        position.Holes.ShouldBeEmpty();
        position.High.ShouldBe(16);
    }

    [Fact]
    public void AHoleIsAskedForOnceMoreBeforeItIsGivenUp()
    {
        // Nobody looked for a day: the row may have shown in that time.
        var position = new AuditPosition(10, null, [new AuditHole(4, 4, Now), new AuditHole(6, 6, Now)]);
        position.Holes.Count.ShouldBe(2);

        position.Take([Row(4)], Now.AddDays(1));

        position.Holes.ShouldBeEmpty();
    }

    [Fact]
    public void TheOldestHolesGoWhenThereAreTooMany()
    {
        var position = new AuditPosition(0);
        var everySecond = Enumerable.Range(1, AuditPosition.MostHoles + 5).Select(n => Row(2 * n)).ToList();

        position.Take(everySecond, Now).ShouldBe(5);

        position.Holes.Count.ShouldBe(AuditPosition.MostHoles);
        position.Holes[0].Low.ShouldBe(11);
    }

    [Fact]
    public void ACheckpointHoldsAllOfIt()
    {
        var checkpoint = new PostgresCheckpoint(7, Now.DateTime, [new AuditHole(3, 4, Now)], [1, 2, 3, 4, 5, 6, 7, 8]);

        var read = PostgresCheckpoint.Parse(checkpoint.ToString());

        read.ToString().ShouldBe(checkpoint.ToString());
        read.High.ShouldBe(7);
        read.Anchor.ShouldBe(Now.DateTime);
        read.Holes.ShouldBe(checkpoint.Holes);
        read.Accounts.ShouldBe(checkpoint.Accounts);
    }

    private static AuditRow Row(long id) => new(id, Now.DateTime, null, null, AuditKind.Request, TimeSpan.Zero);
}
