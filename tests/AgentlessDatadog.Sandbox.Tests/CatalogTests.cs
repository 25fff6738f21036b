using System.Net;

namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>Entities of the software catalogue are taken and answered as at Datadog.</summary>
public sealed class CatalogTests
{
    private const string Path = "/api/v2/catalog/entity";

    [Fact]
    public async Task AnEntityIsMadeOnceAndReplacedUnderItsName()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var made = await sandbox.PostAsync(Path, Entity(",\"owner\":\"team-a\",\"tags\":[\"env:prod\"]"));
        sandbox.Time.Advance(TimeSpan.FromMinutes(1));
        var replaced = await sandbox.PostAsync(Path, Entity(",\"owner\":\"team-b\""));
        var listed = (await sandbox.GetAsync($"{Path}?filter[name]=streamspace&include=schema")).Json;

        made.Status.ShouldBe(HttpStatusCode.Accepted, made.Text);
        var entity = listed.GetProperty("data").EnumerateArray().ShouldHaveSingleItem();
        var id = made.Json.GetProperty("data")[0].GetProperty("id").GetString();
        entity.GetProperty("id").GetString().ShouldBe(id);
        replaced.Json.GetProperty("data")[0].GetProperty("id").GetString().ShouldBe(id);
        entity
            .GetProperty("attributes")
            .GetRawText()
            .ShouldBe(
                """{"apiVersion":"v3","kind":"service","name":"streamspace","namespace":"default","owner":"team-b"}"""
            );
        entity.GetProperty("meta").GetProperty("createdAt").GetString().ShouldBe("2026-03-01T12:00:00.000000+00:00");
        entity.GetProperty("meta").GetProperty("modifiedAt").GetString().ShouldBe("2026-03-01T12:01:00.000000+00:00");
        listed
            .GetProperty("included")[0]
            .GetProperty("attributes")
            .GetProperty("schema")
            .GetProperty("metadata")
            .GetProperty("owner")
            .GetString()
            .ShouldBe("team-b");
        (await sandbox.GetAsync($"{Path}?filter[owner]=team-a")).Json.GetProperty("data").GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData("service:default/streamspace")]
    [InlineData(null)]
    public async Task AnEntityIsDeletedByItsIdOrByWhatItIsKnownBy(string? known)
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var made = await sandbox.PostAsync(Path, Entity(""));
        var id = known ?? made.Json.GetProperty("data")[0].GetProperty("id").GetString()!;

        (await sandbox.DeleteAsync($"{Path}/{Uri.EscapeDataString(id)}")).Status.ShouldBe(HttpStatusCode.NoContent);

        (await sandbox.DeleteAsync($"{Path}/{Uri.EscapeDataString(id)}")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await sandbox.GetAsync(Path)).Json.GetProperty("data").GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData("""{"kind":"service","metadata":{"name":"x"}}""", "'apiVersion' is a required property")]
    [InlineData("""{"apiVersion":"v9","kind":"service","metadata":{"name":"x"}}""", "'v9' is not one of ['v3', ")]
    [InlineData("""{"apiVersion":"v3","kind":"service","metadata":{}}""", "'name' is a required property at metadata")]
    [InlineData("""{"apiVersion":"v3","kind":"service","metadata":{"name":""}}""", "metadata.name must not be empty")]
    [InlineData(
        """{"apiVersion":"v3","kind":"service","metadata":{"name":"x","team":"y"}}""",
        "('team' was unexpected) at metadata"
    )]
    [InlineData(
        """{"apiVersion":"v3","kind":"webshop","metadata":{"name":"x"}}""",
        "is not valid under any of the given schemas"
    )]
    public async Task AnEntityThatDatadogDoesNotKnowIsRefused(string entity, string message)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(Path, entity);

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(message);
    }

    private static string Entity(string fields) =>
        $$$"""{"apiVersion":"v3","kind":"service","metadata":{"name":"streamspace"{{{fields}}}},"spec":{"tier":"1"}}""";
}
