using System.Diagnostics;
using Shouldly;

namespace StreamSpace.PluginHost.Tests;

/// <summary>What a real shell offers after Tab, by the script that the program prints for it.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("sta", "status")]
    [InlineData("token --role o", "operator")]
    [InlineData("token --d", "--data", "--days")]
    [InlineData("status --w", "--watch")]
    [InlineData("completions b", "bash")]
    public async Task BashCompletesCommandsOptionsAndValues(string typed, params string[] offered) =>
        (await OfferedAsync(typed)).ShouldBe(offered, ignoreOrder: true);

    [Fact]
    public async Task BashOffersEveryCommand()
    {
        var offered = await OfferedAsync("");
        foreach (var command in (string[])["status", "sign-in", "token", "config", "check", "flare", "register"])
        {
            offered.ShouldContain(command);
        }
        offered.ShouldAllBe(word => word.Length > 2);
    }

    private static async Task<string[]> OfferedAsync(string typed)
    {
        // As the shell calls a function of its own when Tab is pressed behind what was typed.
        const string script = """
            StreamSpace.PluginHost() { dotnet "$library" "$@"; }
            source <(StreamSpace.PluginHost completions bash) || exit 1
            complete -p StreamSpace.PluginHost >/dev/null || exit 1
            COMP_LINE="StreamSpace.PluginHost $1"; COMP_POINT=${#COMP_LINE}
            _streamspace_plugin_host StreamSpace.PluginHost
            printf '%s\n' "${COMPREPLY[@]}"
            """;
        using var bash = Process.Start(
            new ProcessStartInfo("bash", ["-c", script, "bash", typed])
            {
                RedirectStandardOutput = true,
                Environment = { ["library"] = Path.Combine(AppContext.BaseDirectory, "StreamSpace.PluginHost.dll") },
            }
        )!;
        var printed = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        bash.ExitCode.ShouldBe(0, printed);
        return printed.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
