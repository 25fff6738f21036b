using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

/// <summary>The command <c>provision</c>, beside a running host and without one.</summary>
public sealed class ProvisionCommandTests
{
    private const string NothingToDo = "Nothing to do: everything is as it should be.";
    private const int MostMetrics = 10;

    [Fact]
    public async Task ItShowsTheDifferenceThenMakesItThenFindsNothingToDo()
    {
        var data = TestRun.NewFolder();
        await using var installation = await Installation.StartWithJudgeAsync(
            new Dictionary<string, string> { ["DD_APP_KEY"] = Secret.AppKey },
            data,
            []
        );
        foreach (
            var (arguments, says) in new (string[], string)[]
            {
                (["--dry-run"], "would be changed; nothing was done."),
                ([], "changed."),
                ([], NothingToDo),
                (["--delete"], "changed."),
            }
        )
        {
            var first = await FirstLineAsync(arguments);
            // A metric that was heard meanwhile is one more to describe: each only once.
            for (var more = 0; says == NothingToDo && first != NothingToDo && more < MostMetrics; more++)
            {
                first = await FirstLineAsync(arguments);
            }
            first.ShouldEndWith(says);
        }

        async Task<string> FirstLineAsync(string[] arguments)
        {
            var (code, output) = await ProvisionAsync([.. arguments, "--data", data]);
            code.ShouldBe(0, output);
            return output.Split('\n')[0];
        }
    }

    [Fact]
    public async Task ItWritesTheFilesWithoutAHostAndWithoutAKey()
    {
        var folder = Path.Combine(TestRun.NewFolder(), "assets");
        var (code, output) = await ProvisionAsync(["--export", folder, "--data", TestRun.NewFolder()]);
        code.ShouldBe(0, output);
        File.Exists(Path.Combine(folder, "assets", "dashboards", "session_overview.json")).ShouldBeTrue();
        File.Exists(Path.Combine(folder, "metadata.csv")).ShouldBeTrue();
    }

    private static async Task<(int Code, string Output)> ProvisionAsync(IEnumerable<string> arguments)
    {
        await using var command = BuiltProgram.Start("StreamSpace.PluginHost", ["provision", .. arguments]);
        return (await command.EndAsync(), command.Output);
    }
}
