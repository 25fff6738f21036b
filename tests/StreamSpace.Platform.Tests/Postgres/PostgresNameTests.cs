using Shouldly;
using StreamSpace.Platform.Sources;
using StreamSpace.Plugins;
using Xunit;

namespace StreamSpace.Platform.Tests.Postgres;

/// <summary>What is too long for a name is not read. Alone, for it counts what the whole process allocates.</summary>
[Collection(nameof(OnPostgresAlone))]
public sealed class PostgresNameTests(OnPostgres.Fixture postgres)
{
    private static readonly DateTime Morning = new(2026, 3, 2, 8, 0, 0);

    [Fact]
    public async Task ANameOfManyMegabytesStaysInTheDatabaseAndItsUserCountsWithoutIt()
    {
        await using var upstream = await postgres.DatabaseAsync();
        await upstream.ExecuteAsync("ALTER TABLE users DROP CONSTRAINT users_username_key");
        foreach (
            var column in new[]
            {
                "users ALTER username",
                "sessions ALTER template_name",
                "audit_log ALTER user_id",
                "audit_log ALTER ip_address",
            }
        )
        {
            await upstream.ExecuteAsync("DROP INDEX IF EXISTS idx_audit_log_user_id");
            await upstream.ExecuteAsync($"ALTER TABLE {column} TYPE text");
        }
        await upstream.CreateUserAsync("u1", "ada", Morning);
        await upstream.CreateUserAsync("u2", "bob", Morning);
        await upstream.ExecuteAsync("UPDATE users SET username = repeat('x', 30000000) WHERE id = 'u1'");
        await upstream.ExecuteAsync("UPDATE users SET username = repeat('é', 255) WHERE id = 'u2'");
        var before = GC.GetTotalAllocatedBytes();
        await using var run = await SourceRun.PollingAsync(upstream.Options);
        await upstream.ExecuteAsync(
            "INSERT INTO sessions (id, user_id, template_name) VALUES ('s', 'u1', repeat('t', 30000000))"
        );
        await upstream.ExecuteAsync(
            "INSERT INTO audit_log (user_id, ip_address) VALUES (repeat('u', 30000000), repeat('i', 30000000))"
        );
        await run.PollAsync();

        run.Seen.OfType<UsersTotalled>().ShouldHaveSingleItem().Total.ShouldBe(3);
        run.Seen.OfType<UsersNamed>()
            .ShouldHaveSingleItem()
            .Users.Select(user => user.Name)
            .ShouldBe(["admin", null, new string('é', 255)]);
        run.Source.Status.Detail.ShouldContain("1 of them have a name of more than 255 characters");
        (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(20_000_000);
    }
}
