using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Shouldly;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>A plugin's log as operators and their tools treat it: one name, whatever happens to the file.</summary>
public sealed class LogFileTests
{
    private readonly string _folder = Path.Combine(TestRun.NewFolder(), "log");
    private readonly string _fallback = TestRun.NewFolder();
    private string Name => Path.Combine(_folder, "datadog.log");

    [Theory]
    [InlineData("moved")]
    [InlineData("deleted")]
    [InlineData("copied and cut off")]
    [InlineData("gone with its folder")]
    public void WhateverTakesTheFileAwayTheNextLineIsUnderItsName(string how)
    {
        using var log = Open("one");
        log.Logger.LogWarning("Before.");
        var aside = Path.Combine(TestRun.NewFolder(), "datadog.log.1");
        switch (how)
        {
            case "moved":
                File.Move(Name, aside);
                break;
            case "copied and cut off":
                File.Copy(Name, aside);
                File.WriteAllBytes(Name, []);
                break;
            case "deleted":
                File.Delete(Name);
                break;
            default:
                Directory.Delete(_folder, recursive: true);
                break;
        }
        log.Logger.LogWarning("After {What}.", "that");
        Messages(Name).ShouldBe(["After that."], "and no hole where the old ones were");
        if (File.Exists(aside))
        {
            Messages(aside).ShouldBe(["Before."]);
        }
    }

    [Fact]
    public async Task TailGoesOnOverTheRollAndTheBoundHolds()
    {
        using var log = Open("one");
        log.Logger.LogWarning("First.");
        using var tail = Process.Start(
            new ProcessStartInfo("tail", ["-n", "+1", "-f", Name])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        try
        {
            (await LineAsync(tail)).ShouldContain("First.");
            var large = new string('x', 1_000_000);
            for (var i = 0; i < 100; i++)
            {
                log.Logger.LogWarning("Filling {Large}", large);
            }
            log.Logger.LogWarning("Last.");
            while (!(await LineAsync(tail)).Contains("Last.", StringComparison.Ordinal)) { }
        }
        finally
        {
            tail.Kill();
        }
        var files = Directory.GetFiles(_folder, "datadog*.log");
        files.Length.ShouldBe(8, "the log, and seven that it was rolled to");
        files.Sum(file => new FileInfo(file).Length).ShouldBeLessThan(90_000_000);
        files.ShouldAllBe(file => Mode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Fact]
    public void OfTwoInstancesOneHasTheNameAndNeitherRemovesWhatTheOtherWrote()
    {
        var first = Open("one");
        using var second = Open("two");
        first.Logger.LogWarning("Of the first.");
        second.Logger.LogWarning("Of the second.");
        second.Path.ShouldBe(Path.Combine(_fallback, "two", "datadog.log"));
        Messages(second.Path).ShouldBe(["Of the second."]);

        second.Dispose();
        second.Remove();
        File.Exists(second.Path).ShouldBeFalse();
        Messages(Name).ShouldBe(["Of the first."]);

        // The name is free: the next has it, and what lies there stays.
        first.Dispose();
        using var third = Open("three");
        third.Logger.LogWarning("Of the third.");
        third.Path.ShouldBe(Name);
        Messages(Name).ShouldBe(["Of the third."]);
        first.Remove();
        Messages(Name).ShouldBe(["Of the third."], "the first has it no more");
        third.Dispose();
        third.Remove();
        var left = Directory.GetFiles(_folder, "datadog*.log").ShouldHaveSingleItem();
        Messages(left).ShouldBe(["Of the first."]);
    }

    [Fact]
    public void ARestartGoesOnInTheSameFile()
    {
        foreach (var said in (string[])["Before.", "After."])
        {
            using var log = Open("one");
            log.Logger.LogWarning("{Said}", said);
        }
        Messages(Name).ShouldBe(["Before.", "After."]);
    }

    private PluginLog Open(string instance) =>
        new(
            "datadog",
            _folder,
            Path.Combine(_fallback, instance),
            instance,
            TimeProvider.System,
            _ => { },
            new LogListeners()
        );

    private static List<string> Messages(string path) =>
        [.. File.ReadAllLines(path).Select(line => (string)JsonNode.Parse(line)!["@m"]!)];

    private static UnixFileMode Mode(string path) =>
        OperatingSystem.IsWindows() ? UnixFileMode.UserRead | UnixFileMode.UserWrite : File.GetUnixFileMode(path);

    private static async Task<string> LineAsync(Process tail) =>
        await tail
            .StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)
            .AsTask()
            .WaitAsync(Patience.Enough)
        ?? throw new InvalidOperationException(
            string.Create(CultureInfo.InvariantCulture, $"tail ended with {tail.ExitCode}")
        );
}
