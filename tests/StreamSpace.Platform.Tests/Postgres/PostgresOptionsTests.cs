using Shouldly;
using StreamSpace.Platform.Sources.Postgres;
using Xunit;

namespace StreamSpace.Platform.Tests.Postgres;

public sealed class PostgresOptionsTests
{
    [Fact]
    public void NothingIsReadWithoutAHost() => Read(new() { ["DB_PORT"] = "x" }).Options.ShouldBeNull();

    [Fact]
    public void WhatIsLeftOutIsAsInTheApi()
    {
        var (options, errors) = Read(new() { ["DB_HOST"] = "db" });

        errors.ShouldBeEmpty();
        options!.Shown.ShouldBe("streamspace on db:5432");
        (options.User, options.Password, options.SslModeName).ShouldBe(("streamspace", null, "disable"));
        options.TimeZone.ShouldBe(TimeZoneInfo.Utc);
    }

    [Fact]
    public void EveryErrorIsReportedAtOnce()
    {
        var (options, errors) = Read(
            new()
            {
                ["DB_HOST"] = "db",
                ["DB_PORT"] = "70000",
                ["DB_SSL_MODE"] = "on",
                ["DB_TIME_ZONE"] = "Mars/Olympus",
                ["DB_PASSWORD"] = Secret.Wrong,
            }
        );

        options.ShouldBeNull();
        errors.Select(f => f.Split(' ')[0]).ShouldBe(["DB_PORT", "DB_SSL_MODE", "DB_TIME_ZONE"]);
        errors.ShouldAllBe(f => !f.Contains(Secret.Wrong));
    }

    [Fact]
    public void AnHourThatTheClocksSkipIsReadAndNotRefused()
    {
        var (options, _) = Read(new() { ["DB_HOST"] = "db", ["DB_TIME_ZONE"] = "Europe/Berlin" });

        options!.At(new DateTime(2026, 3, 29, 2, 30, 0)).UtcDateTime.ShouldBe(new DateTime(2026, 3, 29, 1, 30, 0));
        options.At(new DateTime(2026, 7, 1, 12, 0, 0)).UtcDateTime.ShouldBe(new DateTime(2026, 7, 1, 10, 0, 0));
    }

    private static (PostgresOptions? Options, List<string> Errors) Read(Dictionary<string, string> variables)
    {
        var errors = new List<string>();
        return (PostgresOptions.Read(variables.GetValueOrDefault, errors), errors);
    }
}
