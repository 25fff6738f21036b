using System.Diagnostics;
using System.Text.RegularExpressions;

namespace AgentlessDatadog.Sandbox.Tests;

/// <summary>What a browser makes of the live page.</summary>
public sealed partial class PageTests
{
    public static bool HasChromium => File.Exists("/usr/bin/chromium");

    [Fact(Skip = "Needs Debian's chromium.", SkipUnless = nameof(HasChromium))]
    public async Task ATraceIsShownAsAWaterfallAndSpansLeadToTheirLogsAndLogsToTheirSpanAndTrace()
    {
        await using var sandbox = await TestSandbox.StartAsync();
        var root = new OtlpSpan
        {
            Start = sandbox.Now - 20,
            Duration = 10,
            Error = "no <b>room</b>",
            Attributes = [("operation.name", "session.start"), ("resource.name", "firefox")],
        };
        await sandbox.PostSpansAsync(
            OtlpSpan.Request(
                "streamspace",
                root,
                root with
                {
                    SpanId = [0, 0, 0, 0, 0, 0, 0, 2],
                    ParentId = root.SpanId,
                    Start = sandbox.Now - 15,
                    Duration = 5,
                    Kind = 1,
                    Error = null,
                    Attributes = [("resource.name", "image pull")],
                }
            )
        );
        await sandbox.PostAsync(
            "/api/v2/logs",
            """
            [{"message":"it <i>failed</i>","status":"error","dd.trace_id":"72623859790382856","dd.span_id":"2","attempt":3},
             {"message":"of no trace"}]
            """
        );

        var page = await DomAsync($"{sandbox.Address}#trace=72623859790382856");

        var trace = SectionOf(page, "trace");
        trace.ShouldContain("firefox · session.start");
        trace.ShouldContain("2 spans · 10 s");
        trace.ShouldContain("no &lt;b&gt;room&lt;/b&gt;");
        // The child begins halfway and lasts to the end.
        Bars()
            .Matches(trace)
            .Select(bar => bar.Groups["at"].Value)
            .ShouldBe(["left: 0%; width: 100%;", "left: 50%; width: 50%;"]);
        trace.ShouldContain("it &lt;i&gt;failed&lt;/i&gt;");
        trace.ShouldNotContain("of no trace");
        Regex.Count(trace, "Show its log").ShouldBe(1);
        Regex.Count(trace, "Show its span").ShouldBe(1);
        SectionOf(page, "traces").ShouldContain("<strong>firefox</strong>");
        var logs = SectionOf(page, "logs");
        logs.ShouldContain("of no trace");
        Regex.Count(logs, "Show its trace").ShouldBe(1);
        page.ShouldContain("Live · updated");

        // Whither the link of the span leads.
        var ofSpan = SectionOf(await DomAsync($"{sandbox.Address}#logs=span_id%3A2"), "logs");
        ofSpan.ShouldContain("it &lt;i&gt;failed&lt;/i&gt;");
        ofSpan.ShouldNotContain("of no trace");
    }

    private static async Task<string> DomAsync(string url)
    {
        var start = new ProcessStartInfo("/usr/bin/chromium")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (
            var argument in new[]
            {
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                $"--user-data-dir={TestRun.NewGivenFolder()}",
                "--virtual-time-budget=4000",
                "--dump-dom",
                url,
            }
        )
        {
            start.ArgumentList.Add(argument);
        }
        using var process = Process.Start(start) ?? throw new InvalidOperationException("chromium did not start.");
        _ = process.StandardError.ReadToEndAsync();
        var dom = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return dom;
    }

    /// <summary>From an element to the next with an id.</summary>
    private static string SectionOf(string page, string id)
    {
        var start = page.IndexOf($"id=\"{id}\"", StringComparison.Ordinal);
        var end = page.IndexOf(" id=\"", start + 5, StringComparison.Ordinal);
        return page[start..end];
    }

    [GeneratedRegex("class=\"bar [^\"]*\" style=\"(?<at>[^\"]*)\"")]
    private static partial Regex Bars();
}
