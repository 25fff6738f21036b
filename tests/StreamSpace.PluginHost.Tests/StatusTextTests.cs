using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.PluginHost.Commands;

namespace StreamSpace.PluginHost.Tests;

/// <summary>What the command <c>status</c> shows of a document.</summary>
public sealed class StatusTextTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void ItSaysInTenLinesWhatIsSentWaitsAndIsHeard()
    {
        var lines = Shown(Document(), Terminal.None);
        lines.ShouldBe([
            "failing     The metrics are kept and wait: 403 Forbidden.",
            "            → Check the key.",
            "",
            "plugin      Datadog Monitoring 1.0.0, running, site datadoghq.com",
            "sent        metrics 1,299, events 14",
            "waiting     metrics 120; the oldest for 3 min",
            "expired     metrics 7",
            "refused     metrics: 403 Forbidden, 5 s ago; tried again in 30 s",
            "series      151, of 24 open sessions",
            "last flush  8 s ago: 130 points in 2 requests, 2512 bytes",
            "also        The disk is nearly full. Make room.",
            "",
            "source      kubernetes up, 12 received",
            "source      postgresql down for 3 min: Does not answer.",
            "host        1.0.0, up 2 h, data in /data",
        ]);
    }

    [Fact]
    public void AScreenIsNotWrittenOverItsEdgeAndColoursTheVerdict()
    {
        var lines = Shown(Document(), new Terminal(IsScreen: true, HasColour: true, Width: 40));
        lines[0].ShouldStartWith("\u001B[31mfailing     \u001B[0m");
        lines.Skip(1).ShouldAllBe(line => line.Length <= 40);
        lines.Count.ShouldBeGreaterThan(15);
    }

    [Fact]
    public void WhatIsShownCannotActOnTheScreen()
    {
        var document = Document();
        document["verdict"]!["sentence"] = "a\u001B[2Jb\u202Ec\nd";
        Shown(document, Terminal.None)[0].ShouldBe("failing     a\uFFFD[2Jb\uFFFDc d");
    }

    private static IReadOnlyList<string> Shown(JsonObject document, Terminal terminal) =>
        StatusText.Of(document, Now, terminal).Split(Environment.NewLine);

    private static JsonObject Document() =>
        JsonNode
            .Parse(
                """
                {
                  "verdict": { "state": "failing", "sentence": "The metrics are kept and wait: 403 Forbidden.", "fix": "Check the key." },
                  "version": "1.0.0", "startedAt": "2026-01-02T01:00:00Z", "dataFolder": "/data",
                  "sources": [
                    { "name": "kubernetes", "state": "up", "detail": "", "received": 12, "since": "2026-01-02T03:00:00Z" },
                    { "name": "postgresql", "state": "down", "detail": "Does not answer.\nGRANT", "since": "2026-01-02T03:01:05Z" }
                  ],
                  "plugins": [
                    {
                      "displayName": "Datadog Monitoring", "version": "1.0.0", "state": "running", "site": "datadoghq.com",
                      "sessions": { "open": 24 }, "series": { "total": 151 },
                      "queue": { "oldest": "2026-01-02T03:01:00Z" },
                      "lanes": [
                        {
                          "lane": "metrics", "lastError": "403 Forbidden", "lastErrorAt": "2026-01-02T03:04:00Z",
                          "nextTry": "2026-01-02T03:04:35Z", "ledger": { "delivered": 1299, "queued": 120, "expired": 7 }
                        },
                        { "lane": "events", "lastError": null, "ledger": { "delivered": 14, "queued": 0 } }
                      ],
                      "clock": { "error": null },
                      "lastFlush": { "at": "2026-01-02T03:03:57Z", "points": 130, "requests": 2, "bytes": 2512 },
                      "warnings": ["The metrics are kept and wait: 403 Forbidden. Check the key.", "The disk is nearly full. Make room."]
                    }
                  ]
                }
                """
            )!
            .AsObject();
}
