using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests;

/// <summary>However many ids come, they take no more than a bounded room; the oldest make it.</summary>
public sealed class SeenIdsTests
{
    [Fact]
    public void OfIdsWithoutASubjectAMillionAreKnown()
    {
        const int most = 1_000_000;
        var seen = new SeenIds(new OpenSubjects());
        for (uint i = 0; i <= most; i++)
            seen.Add(new SeenId(i, i));

        seen.Forget(now: 0).Before.ShouldBe(1);
        seen.Contains(new SeenId(0, 0)).ShouldBeFalse();
        seen.Contains(new SeenId(1, 0)).ShouldBeTrue();
    }

    [Fact]
    public void OfSubjectsHalfAMillionAreKnownAlsoWhileNobodyKnowsWhichAreOpen()
    {
        const int most = 500_000;
        var seen = new SeenIds(new OpenSubjects());
        for (uint i = 0; i <= most; i++)
            seen.Add(IdOf(i));

        seen.Forget(now: 0).OfSubjectsBefore.ShouldBe(1);
        seen.Contains(IdOf(0)).ShouldBeFalse();
        seen.Contains(IdOf(1)).ShouldBeTrue();

        static SeenId IdOf(uint subject) => new(new UInt128(subject, 7), subject, HasSubject: true);
    }
}
