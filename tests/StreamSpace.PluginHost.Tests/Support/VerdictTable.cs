using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Shouldly;
using StreamSpace.Platform.Sources.Postgres;
using StreamSpace.Platform.Tests.Postgres;
using StreamSpace.PluginHost.Checks;
using StreamSpace.PluginHost.Commands;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Tests.Support;

/// <summary>
/// What docs/status.md says of each state that an operator can bring about is what the host says: on the page, in the status, behind
/// <c>/readyz</c>, by the commands <c>status</c> and <c>check</c>, and in the log, once when it begins and once when it is over.
/// </summary>
/// <param name="postgres">A server, for states of StreamSpace's database.</param>
public abstract class VerdictTable(OnPostgres.Fixture? postgres) : IAsyncLifetime
{
    private const string Config = "api/plugins/datadog/config";
    private const string Name = "streamspace-datadog";
    private static readonly (int, string) Taken = (202, "{}");
    private static readonly IReadOnlyList<Row> Table = ReadTable();
    private StandInDatadog _datadog = null!;
    private UpstreamDatabase? _database;
    private TestHost _host = null!;
    private SqliteConnection? _file;

    /// <summary>Of the states that the table lists.</summary>
    protected static IEnumerable<string> States => Table.Select(row => row.State);

    protected async Task SaysWhatTheTableSaysAsync(string state)
    {
        var row = Table.Single(row => row.State == state);
        var (begin, end) = Case(state);
        await begin();
        JsonNode? verdict = null;
        await Patience.Until(
            async () =>
            {
                verdict = (await _host.ReadAsync("api/status"))["verdict"];
                return Says((string?)verdict!["sentence"], row.Sentence);
            },
            () => $"{verdict}\n{_host.Log.Text}"
        );
        ((string?)verdict!["state"]).ShouldBe(row.Verdict);
        ((string?)verdict["fix"]).ShouldBe(row.Fix);
        var ofPlugin = (await _host.ReadAsync("api/plugins/datadog/status"))["verdict"];
        Says((string?)ofPlugin!["sentence"], row.Sentence).ShouldBeTrue($"{ofPlugin}");
        await SaysTheSameAsync(row);
        var level = row.Verdict == "failing" ? "Error" : "Warning";
        await LoggedAsync($"{level}: {row.Verdict}: {row.Sentence} {row.Fix}");
        if (end is null)
        {
            return;
        }
        await end();
        await LoggedAsync($"Information: No longer so: {row.Sentence}");
        // A moment later on the console.
        await Patience.Until(
            () =>
                _host
                    .Console.ToString()
                    .Split(Environment.NewLine)
                    .Any(line => Says(line, $"No longer so: {row.Sentence}")),
            () => $"{_host.Console}"
        );
        Lines($"{level}: {row.Verdict}: {row.Sentence}").ShouldBe(1);
    }

    public async ValueTask InitializeAsync() => _datadog = await StandInDatadog.StartAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        // First it can send what is left.
        _datadog.Answer = _ => Taken;
        await (_host?.DisposeAsync() ?? default);
        await _datadog.DisposeAsync();
        await (_database?.DisposeAsync() ?? default);
        _file?.Dispose();
    }

    private async Task SaysTheSameAsync(Row row)
    {
        var ready = await _host.SendAsync(HttpMethod.Get, "readyz", _host.Admin);
        ((int)ready.StatusCode).ShouldBe(row.Readyz);
        var body = await ready.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var said = ready.StatusCode is HttpStatusCode.OK ? body : (string?)JsonNode.Parse(body)!["detail"];
        Says(said, $"{row.Verdict}: {row.Sentence} {row.Fix}").ShouldBeTrue(said);
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync(["status", "--data", _host.Settings.DataFolder], output, error);
        code.ShouldBe(row.Status, $"{output}{error}");
        var printed = Regex.Replace(output.ToString(), @"\s+", " ");
        Says(printed, $"{row.Verdict} {row.Sentence} → {row.Fix}").ShouldBeTrue(printed);
        var findings = await new CheckRun(_host.Settings, TimeProvider.System, () => 0.5).AllAsync(
            TestContext.Current.CancellationToken
        );
        CheckCommand.ExitCode(findings, denyWarnings: false).ShouldBe(row.Check, string.Join('\n', findings));
    }

    private (Func<Task> Begin, Func<Task>? End) Case(string state) =>
        state switch
        {
            "switched off by StreamSpace's row" => (
                async () =>
                {
                    await AttachAsync("""{"site":"datadoghq.com"}""");
                    await _database!.ExecuteAsync("UPDATE installed_plugins SET enabled = false, updated_at = NULL");
                },
                () => _database!.ExecuteAsync("UPDATE installed_plugins SET enabled = true")
            ),
            "row of StreamSpace's that is faulty" => (
                async () =>
                {
                    await AttachAsync("""{"site":"datadoghq.com"}""");
                    await _database!.ExecuteAsync(
                        """UPDATE installed_plugins SET config = '{"metricsInterval":"5"}'"""
                    );
                },
                () => _database!.ExecuteAsync("UPDATE installed_plugins SET config = '{}'")
            ),
            "row of StreamSpace's that has gone" => (
                async () =>
                {
                    await AttachAsync("""{"site":"datadoghq.com"}""");
                    await _database!.ExecuteAsync("DELETE FROM installed_plugins");
                },
                () => PostAsync("api/plugins/datadog/enable")
            ),
            "switched off here" => (
                async () =>
                {
                    await StartAsync();
                    await PostAsync("api/plugins/datadog/disable");
                },
                () => PostAsync("api/plugins/datadog/enable")
            ),
            "no valid config" => (() => StartAsync(("DD_SITE", "datadoghq.con")), null),
            "no API key" => (
                () => StartAsync(("DD_API_KEY", "")),
                () => PutAsync($$"""{"apiKey":"{{Secret.ApiKey}}"}""")
            ),
            "API key refused" => Answered(_ => (403, """{"errors":["Forbidden"]}""")),
            "product refused" => Answered(request =>
                request.Path == "/api/v1/validate" ? (200, """{"valid":true}""")
                : request.Path == "/api/v1/events" ? (403, """{"errors":["Forbidden"]}""")
                : Taken
            ),
            "Datadog is down (503)" => Answered(_ => (503, "{}")),
            "too many requests (429)" => Answered(_ => (429, "{}")),
            "a proxy's page answers" => Answered(_ => (200, "<html>Sign in</html>")),
            "no answer" => (
                () => StartAsync(("DD_DD_URL", "http://127.0.0.1:9")),
                // Of the environment: only another process has another.
                null
            ),
            "no such host" => (
                () => StartAsync(("DD_DD_URL", $"http://{new string('a', 63)}.{new string('b', 70)}:9")),
                null
            ),
            "the disk is full" => (
                async () =>
                {
                    await StartAsync(("WEBHOOK_SIGNING_SECRET", Secret.SigningSecret));
                    await _host.UntilAsync("api/status", s => (string?)s["sources"]![0]?["state"] == "up");
                    Execute(
                        "CREATE TRIGGER full BEFORE INSERT ON platform_facts BEGIN SELECT RAISE(ABORT, 'disk full'); END"
                    );
                    await _host.SendAsync(
                        HttpMethod.Post,
                        "api/events",
                        _host.Admin,
                        TestHost.Json(
                            $$"""{"event":"user.login","timestamp":"{{_host.Begun:O}}","data":{"user_id":"ada"} }"""
                        )
                    );
                },
                () =>
                {
                    Execute("DROP TRIGGER full");
                    return Task.CompletedTask;
                }
            ),
            "this machine's clock is two hours off" => (
                async () =>
                {
                    _datadog.ClockAhead = TimeSpan.FromHours(-2);
                    await StartAsync();
                },
                () =>
                {
                    _datadog.ClockAhead = TimeSpan.Zero;
                    return Task.CompletedTask;
                }
            ),
            "a queue for another destination" => (
                async () =>
                {
                    _datadog.Answer = _ => (503, "{}");
                    await StartAsync(("DD_SITE", ""));
                    await _host.UntilAsync("api/plugins/datadog/status", s => (int?)s["queue"]?["requests"] > 0);
                    await PutAsync($$"""{"site":"datadoghq.com","apiKey":"{{Secret.ApiKey}}"}""");
                    _datadog.Answer = _ => Taken;
                },
                () => PutAsync("""{"site":"sandbox"}""")
            ),
            "Kubernetes is away" => (() => StartAsync(("KUBECONFIG", Kubeconfig())), null),
            "PostgreSQL is away" => (
                async () =>
                {
                    await AttachAsync("{}");
                    await postgres!.Server.KillAsync();
                },
                postgres!.Server.StartAgainAsync
            ),
            "NATS is away" => (() => StartAsync(("NATS_URL", "nats://127.0.0.1:9")), null),
            "Kubernetes is not configured" => (
                () => StartAsync(("WEBHOOK_SIGNING_SECRET", Secret.SigningSecret)),
                null
            ),
            "no source is configured" => (() => StartAsync(), null),
            _ => throw new ArgumentException($"The table has a state that no test brings about: {state}."),
        };

    private (Func<Task>, Func<Task>) Answered(Func<HttpRequest, (int, string)> answer) =>
        (
            () =>
            {
                _datadog.Answer = answer;
                return StartAsync();
            },
            () =>
            {
                _datadog.Answer = _ => Taken;
                return Task.CompletedTask;
            }
        );

    private async Task StartAsync(params (string Name, string Value)[] environment)
    {
        var variables = new Dictionary<string, string>
        {
            ["DD_SITE"] = "datadoghq.com",
            ["DD_DD_URL"] = _datadog.Address,
            ["DD_API_KEY"] = Secret.ApiKey,
        };
        foreach (var (name, value) in environment)
        {
            variables[name] = value;
        }
        _host = await TestHost.StartAsync(
            TestHost.NewSettings() with
            {
                PluginsFolder = Path.Combine(AppContext.BaseDirectory, "ours"),
                Environment = variables,
            }
        );
    }

    private async Task AttachAsync(string row)
    {
        _database = await postgres!.DatabaseAsync();
        await _database.ExecuteAsync(
            "INSERT INTO installed_plugins (name, version, config) VALUES ($1, '1.0.0', $2::jsonb)",
            Name,
            row
        );
        var reader = await _database.CreateReaderAsync($"reader_of_{_database.Name}");
        await StartAsync(
            ("DB_HOST", reader.Host),
            ("DB_PORT", $"{reader.Port}"),
            ("DB_USER", reader.User),
            ("DB_PASSWORD", reader.Password!),
            ("DB_NAME", reader.Database)
        );
        await _host.UntilAsync("api/status", s => $"{s["sources"]}".Contains("\"up\""));
    }

    private async Task PutAsync(string json)
    {
        var answer = await _host.SendAsync(HttpMethod.Put, Config, _host.Admin, TestHost.Json(json));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private async Task PostAsync(string path) =>
        (await _host.SendAsync(HttpMethod.Post, path, _host.Admin)).StatusCode.ShouldBe(HttpStatusCode.OK);

    // Open until the end: the last connection that is closed takes the log of commits away.
    private void Execute(string sql)
    {
        if (_file is null)
        {
            var path = Path.Combine(_host.Settings.DataFolder, "host.db");
            _file = new SqliteConnection($"Data Source={path};Pooling=False");
            _file.Open();
        }
        using var command = _file.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static string Kubeconfig()
    {
        var file = Path.Combine(TestRun.NewFolder(), "kubeconfig");
        File.WriteAllText(
            file,
            """
            apiVersion: v1
            kind: Config
            current-context: c
            contexts:
            - name: c
              context:
                cluster: c
                user: u
            clusters:
            - name: c
              cluster:
                server: http://127.0.0.1:9
            users:
            - name: u
              user:
                token: none
            """
        );
        return file;
    }

    private Task LoggedAsync(string line) => Patience.Until(() => Lines(line) == 1, () => $"{line}\n{_host.Log.Text}");

    private int Lines(string line) => _host.Log.Lines.Count(logged => Says(logged, line));

    private static bool Says(string? text, string line) => Pattern(line).IsMatch(text ?? "");

    // What varies is an ellipsis in the table.
    private static Regex Pattern(string line) =>
        new($"^{Regex.Escape(line).Replace("…", ".*", StringComparison.Ordinal)}", RegexOptions.Singleline);

    private static List<Row> ReadTable()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "StreamSpace.Datadog.slnx")))
        {
            folder = folder.Parent!;
        }
        return
        [
            .. File.ReadLines(Path.Combine(folder.FullName, "docs", "status.md"))
                .SkipWhile(line => !line.StartsWith("| state ", StringComparison.Ordinal))
                .Skip(2)
                .TakeWhile(line => line.StartsWith('|'))
                .Select(line => line.Trim('|', ' ').Split(" | "))
                .Select(cells => new Row(
                    cells[0],
                    cells[1],
                    cells[2],
                    cells[3],
                    int.Parse(cells[4], System.Globalization.CultureInfo.InvariantCulture),
                    int.Parse(cells[5], System.Globalization.CultureInfo.InvariantCulture),
                    int.Parse(cells[6], System.Globalization.CultureInfo.InvariantCulture)
                )),
        ];
    }

    private sealed record Row(
        string State,
        string Verdict,
        string Sentence,
        string Fix,
        int Status,
        int Check,
        int Readyz
    );
}
