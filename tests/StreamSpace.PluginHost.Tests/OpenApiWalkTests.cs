using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.PluginHost.Packages;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>
/// The whole surface, walked from its own description: every operation is called as the document says, with its
/// example, and every answer must be one that the document knows.
/// </summary>
public sealed class OpenApiWalkTests
{
    [Fact]
    public async Task EveryOperationAnswersAsTheDocumentSays()
    {
        var settings = TestHost.NewSettings() with
        {
            PluginsFolder = Plugins(),
            SandboxUrls = ["http://127.0.0.1:0"],
            Environment = new Dictionary<string, string> { ["WEBHOOK_SIGNING_SECRET"] = Secret.SigningSecret },
        };
        await using var host = await TestHost.StartAsync(settings);
        var document = await host.ReadAsync("openapi/v1.json");
        var walked = 0;
        foreach (var operation in Operations(document))
        {
            using var answer = await host.SendAsync(
                new HttpMethod(operation.Method.ToUpperInvariant()),
                operation.Path.Replace("{name}", "streamspace-echo", StringComparison.Ordinal).TrimStart('/'),
                host.Admin,
                operation.Example is { } example ? TestHost.Json(example) : null
            );
            await HoldAsync(document, operation, answer);
            walked++;
        }
        walked.ShouldBeGreaterThan(16);
    }

    [Fact]
    public async Task EveryOperationThatIsNotForAnyoneRefusesAStrangerAsTheDocumentSays()
    {
        await using var host = await TestHost.StartAsync();
        var document = await host.ReadAsync("openapi/v1.json");
        foreach (var operation in Operations(document).Where(o => o.Json["security"] is not null))
        {
            using var answer = await host.SendAsync(
                new HttpMethod(operation.Method.ToUpperInvariant()),
                operation.Path.Replace("{name}", "streamspace-echo", StringComparison.Ordinal).TrimStart('/'),
                token: null,
                operation.Example is { } example ? TestHost.Json(example) : null
            );
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, operation.ToString());
            await HoldAsync(document, operation, answer);
        }
    }

    private static async Task HoldAsync(JsonObject document, Operation operation, HttpResponseMessage answer)
    {
        var status = ((int)answer.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var responses = operation.Json["responses"]!.AsObject();
        responses.Select(r => r.Key).ShouldContain(status, $"{operation} answered {status}");
        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        if (body.Length == 0)
        {
            return;
        }
        var type = answer.Content.Headers.ContentType!.MediaType!;
        var media = responses[status]!["content"]?[type];
        media.ShouldNotBeNull($"{operation} answered {status} with {type}");
        if (type.EndsWith("json", StringComparison.Ordinal))
        {
            Conform(document, media["schema"], JsonNode.Parse(body), $"{operation} {status}");
        }
    }

    // The part of JSON Schema that the document uses.
    private static void Conform(JsonObject document, JsonNode? schema, JsonNode? value, string where)
    {
        if (schema is not JsonObject rules)
        {
            return;
        }
        if ((string?)rules["$ref"] is { } reference)
        {
            var target = reference
                .TrimStart('#', '/')
                .Split('/')
                .Aggregate((JsonNode?)document, (node, part) => node![part]);
            Conform(document, target.ShouldNotBeNull(reference), value, where);
            return;
        }
        var kinds = rules["type"] switch
        {
            JsonArray several => several.Select(t => (string)t!).ToList(),
            JsonValue one => [(string)one!],
            _ => [],
        };
        if (kinds.Count > 0)
        {
            kinds.ShouldContain(kind => Is(kind, value), $"{where} is not {string.Join(" or ", kinds)}");
        }
        if (value is JsonObject json)
        {
            foreach (var key in (rules["required"] as JsonArray ?? []).Select(k => (string)k!))
            {
                json.ContainsKey(key).ShouldBeTrue($"{where} lacks {key}");
            }
            foreach (var (key, inner) in rules["properties"] as JsonObject ?? [])
            {
                if (json.TryGetPropertyValue(key, out var found))
                {
                    Conform(document, inner, found, $"{where}.{key}");
                }
            }
        }
        if (value is JsonArray list)
        {
            foreach (var item in list)
            {
                Conform(document, rules["items"], item, $"{where}[]");
            }
        }
    }

    private static bool Is(string kind, JsonNode? value) =>
        (kind, value?.GetValueKind()) switch
        {
            ("null", null) => true,
            ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String) =>
                true,
            ("integer" or "number", JsonValueKind.Number) => true,
            ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
            _ => false,
        };

    // What changes comes after what reads, and what removes last.
    private static List<Operation> Operations(JsonObject document)
    {
        string[] order = ["get", "put", "patch", "post", "delete"];
        return
        [
            .. document["paths"]!
                .AsObject()
                .SelectMany(path =>
                    path.Value!.AsObject().Select(o => new Operation(path.Key, o.Key, o.Value!.AsObject()))
                )
                .OrderBy(o => Array.IndexOf(order, o.Method))
                .ThenBy(o => o.Path.EndsWith("disable", StringComparison.Ordinal)),
        ];
    }

    private static string Plugins()
    {
        var folder = TestRun.NewFolder();
        foreach (var from in (string[])[TestHost.EchoFolder, Path.Combine(AppContext.BaseDirectory, "ours")])
        {
            foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
            {
                var path = Path.Combine(folder, Path.GetRelativePath(from, file));
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.Copy(file, path);
            }
        }
        return folder;
    }

    private sealed record Operation(string Path, string Method, JsonObject Json)
    {
        public string? Example => Json["requestBody"]?["content"]?["application/json"]?["example"]?.ToJsonString();

        public override string ToString() => $"{Method} {Path}";
    }
}
