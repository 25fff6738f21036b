using System.Net;
using System.Text.Json;

namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>Dashboards are taken, answered and refused as Datadog does it.</summary>
public sealed class DashboardTests
{
    private const string Path = "/api/v1/dashboard";

    private const string Line =
        """{"definition":{"type":"timeseries","title":"CPU","requests":[{"display_type":"line","response_format":"timeseries","queries":[{"data_source":"metrics","name":"a","query":"avg:cpu{$env} by {host}"}],"formulas":[{"formula":"a","alias":"CPU"}]}]},"layout":{"x":0,"y":0,"width":6,"height":2}}""";

    [Fact]
    public async Task ADashboardIsAnsweredWholeAndReadBackTheSame()
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var made = await sandbox.PostAsync(
            Path,
            Dashboard(
                Line,
                """{"description":"marker","tags":["team:a"],"template_variables":[{"name":"env","prefix":"env","defaults":["*"]}]}"""
            )
        );

        made.Status.ShouldBe(HttpStatusCode.OK, made.Text);
        var id = made.Json.GetProperty("id").GetString()!;
        id.ShouldMatch("^[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}$");
        made.Json.GetProperty("url").GetString().ShouldBe($"/dashboard/{id}/session-overview");
        made.Json.GetProperty("created_at").GetString().ShouldBe("2026-03-01T12:00:00.000000+00:00");
        made.Json.GetProperty("restricted_roles").GetArrayLength().ShouldBe(0);
        made.Json.GetProperty("notify_list").ValueKind.ShouldBe(JsonValueKind.Null);
        var widget = made.Json.GetProperty("widgets")[0];
        widget.GetProperty("id").GetInt64().ShouldBeGreaterThan(0);
        JsonElement
            .DeepEquals(
                widget.GetProperty("definition"),
                JsonDocument.Parse(Line).RootElement.GetProperty("definition")
            )
            .ShouldBeTrue();
        (await sandbox.GetAsync($"{Path}/{id}")).Text.ShouldBe(made.Text);
        var listed = (await sandbox.GetAsync(Path)).Json.GetProperty("dashboards")[0];
        listed.GetProperty("description").GetString().ShouldBe("marker");
        listed.TryGetProperty("widgets", out _).ShouldBeFalse();
        listed.TryGetProperty("tags", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task AnEditReplacesTheWholeAndADeletionIsForGood()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var made = (
            await sandbox.PostAsync(Path, Dashboard(Line, """{"description":"before","tags":["team:a"]}"""))
        ).Json;
        var id = made.GetProperty("id").GetString()!;
        sandbox.Time.Advance(TimeSpan.FromMinutes(1));

        var edited = await sandbox.PutAsync($"{Path}/{id}", Dashboard(Line));

        edited.Status.ShouldBe(HttpStatusCode.OK, edited.Text);
        edited.Json.GetProperty("description").ValueKind.ShouldBe(JsonValueKind.Null);
        edited.Json.TryGetProperty("tags", out _).ShouldBeFalse();
        edited.Json.GetProperty("created_at").GetString().ShouldBe(made.GetProperty("created_at").GetString());
        edited.Json.GetProperty("modified_at").GetString().ShouldBe("2026-03-01T12:01:00.000000+00:00");
        var deleted = await sandbox.DeleteAsync($"{Path}/{id}");
        deleted.Text.ShouldBe($$"""{"deleted_dashboard_id":"{{id}}"}""");
        foreach (
            var missing in (Reply[])
                [
                    await sandbox.GetAsync($"{Path}/{id}"),
                    await sandbox.PutAsync($"{Path}/{id}", Dashboard(Line)),
                    await sandbox.DeleteAsync($"{Path}/{id}"),
                ]
        )
        {
            missing.Status.ShouldBe(HttpStatusCode.NotFound);
            missing.Error.ShouldBe($"Dashboard with ID {id} not found");
        }
    }

    [Fact]
    public async Task WhatWasAnsweredCanBeSentBack()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var made = await sandbox.PostAsync(Path, Dashboard(Line));

        var edited = await sandbox.PutAsync($"{Path}/{made.Json.GetProperty("id").GetString()}", made.Text);

        edited.Status.ShouldBe(HttpStatusCode.OK, edited.Text);
        edited
            .Json.GetProperty("widgets")[0]
            .GetProperty("id")
            .GetInt64()
            .ShouldBe(made.Json.GetProperty("widgets")[0].GetProperty("id").GetInt64());
    }

    [Theory]
    [InlineData("""{"tags":["env:prod"]}""", "Invalid tag format. Valid tag keys are: team.")]
    [InlineData("""{"tags":["team:a","team:b","team:c","team:d","team:e","team:f"]}""", "is too long at tags")]
    [InlineData(
        """{"template_variables":[{"name":"env","default":"*","defaults":["*"]}]}""",
        "'template_variables' is invalid"
    )]
    [InlineData(
        """{"template_variables":[{"name":"env","defaults":[]}]}""",
        "Minimum number of elements in parameter 'defaults' should be 1"
    )]
    [InlineData(
        """{"template_variables":[{"name":"env","defaults":[""]}]}""",
        "Minimum length of parameter 'defaults' should be 1"
    )]
    [InlineData("""{"reflow_type":"tight"}""", "'tight' is not one of ['auto', 'fixed']")]
    [InlineData("""{"reflow_type":"auto"}""", "Invalid widget at position 0. Error: 'layout' is not allowed")]
    [InlineData("""{"description":7}""", "7 is not of type 'string' at description")]
    [InlineData("""{"colour":"red"}""", "Additional properties are not allowed ('colour' was unexpected)")]
    public async Task WhatDatadogRefusesOfADashboardIsRefused(string field, string message)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(Path, Dashboard(Line, field));

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldContain(message);
        (await sandbox.GetAsync(Path)).Json.GetProperty("dashboards").GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData(
        """{"definition":{"type":"pie","requests":[]}}""",
        "Invalid widget definition at position 0 of type pie. Error: "
    )]
    [InlineData(
        """{"definition":{"type":"timeseries","requests":[{"display_type":"dots"}]}}""",
        "'dots' is not one of ['area', 'bars', 'line', 'overlay'] at definition.requests[0].display_type"
    )]
    [InlineData("""{"definition":{"type":"timeseries"}}""", "'requests' is a required property at definition")]
    [InlineData("""{"definition":{"type":"query_value","requests":[{},{}]}}""", "is too long at definition.requests")]
    [InlineData("""{"definition":{"type":"note","content":"x","titel":"y"}}""", "('titel' was unexpected)")]
    [InlineData(
        """{"definition":{"type":"timeseries","requests":[{"queries":[{"data_source":"metrics","query":"avg:a{*}"}]}]}}""",
        "'name' is a required property at definition.requests[0].queries[0]"
    )]
    [InlineData(
        """{"definition":{"type":"group","layout_type":"ordered","widgets":[{"definition":{"type":"note"}}]}}""",
        "of type group. Error: Invalid inner widget definition at position 0 of type note. Error: 'content' is a required property"
    )]
    [InlineData(
        """{"definition":{"type":"group","layout_type":"ordered","widgets":[{"definition":{"type":"group","layout_type":"ordered","widgets":[]}}]}}""",
        "a group holds no group"
    )]
    public async Task AWidgetThatDatadogDoesNotKnowIsRefusedByItsPlace(string widget, string message)
    {
        await using var sandbox = await TestSandbox.StartAsync();

        var reply = await sandbox.PostAsync(Path, Dashboard(widget));

        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldStartWith("Invalid widget definition at position 0");
        reply.Error.ShouldContain(message);
    }

    [Fact]
    public async Task AFreeOrFixedDashboardNeedsThePlaceOfEachWidget()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        const string note = """{"definition":{"type":"note","content":"x"}}""";

        (await sandbox.PostAsync(Path, Dashboard(note, """{"reflow_type":"fixed"}"""))).Error.ShouldBe(
            "Invalid widget at position 0. Error: 'layout' is a required property"
        );
        (
            await sandbox.PostAsync(Path, Dashboard(note).Replace("ordered", "free", StringComparison.Ordinal))
        ).Error.ShouldBe("Invalid widget at position 0. Error: 'layout' is a required property");
    }

    [Fact]
    public async Task ConfiguringNeedsTheApplicationKey()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        sandbox.Client.DefaultRequestHeaders.Remove("DD-APPLICATION-KEY");

        (await sandbox.PostAsync(Path, Dashboard(Line))).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await sandbox.GetAsync(Path)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await sandbox.DeleteAsync($"{Path}/aaa-bbb-ccc")).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task OneTooManyIsRefusedAndNoneGoesForIt()
    {
        await using var sandbox = await TestSandbox.StartAsync(options =>
            options with
            {
                Limits = options.Limits with { Assets = 2 },
            }
        );
        await sandbox.PostAsync(Path, Dashboard(Line));
        var second = (await sandbox.PostAsync(Path, Dashboard(Line))).Json.GetProperty("id").GetString();

        (await sandbox.PostAsync(Path, Dashboard(Line))).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await sandbox.PutAsync($"{Path}/{second}", Dashboard(Line))).Status.ShouldBe(HttpStatusCode.OK);
        (await sandbox.GetAsync($"{Path}?count=1&start=1"))
            .Json.GetProperty("dashboards")[0]
            .GetProperty("id")
            .GetString()
            .ShouldBe(second);
        await sandbox.DeleteAsync($"{Path}/{second}");
        (await sandbox.PostAsync(Path, Dashboard(Line))).Status.ShouldBe(HttpStatusCode.OK);
    }

    private static string Dashboard(string widget, string? fields = null) =>
        $$"""{"title":"Session Overview","layout_type":"ordered","widgets":[{{widget}}]{{(fields is null ? "" : $",{fields[1..^1]}")}}}""";
}
