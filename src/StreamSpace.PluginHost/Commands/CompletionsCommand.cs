using System.CommandLine;

namespace StreamSpace.PluginHost.Commands;

/// <summary>
/// <c>completions</c>: a script by which a shell completes this program's commands and options. The shell asks the program
/// itself, by System.CommandLine's directive <c>[suggest]</c>, so that the script fits every version.
/// </summary>
internal static class CompletionsCommand
{
    // zsh runs what is written for bash once it is told to.
    private const string Script = """
        _streamspace_plugin_host() {
          local line="${COMP_LINE#* }" at IFS=$'\n'
          at=$((COMP_POINT - ${#COMP_LINE} + ${#line}))
          COMPREPLY=($("$1" "[suggest:$at]" "$line" 2>/dev/null | grep -v '^[-/].$'))
        }
        complete -o default -F _streamspace_plugin_host StreamSpace.PluginHost
        """;

    private const string ForZsh = """
        autoload -U +X compinit && compinit
        autoload -U +X bashcompinit && bashcompinit
        """;

    public static Command Make(CommandContext context, CommandHelp help)
    {
        var shell = new Argument<string>("shell") { Description = "bash or zsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh");
        var completions = new Command("completions", "Prints a script by which a shell completes commands and options.")
        {
            shell,
        };
        help.Explain(
            completions,
            """
            Examples:
              source <(StreamSpace.PluginHost completions bash)
              StreamSpace.PluginHost completions bash > /etc/bash_completion.d/StreamSpace.PluginHost
              source <(StreamSpace.PluginHost completions zsh)

            Exit codes:
              0  the script is on standard output, alone
            """
        );
        completions.SetAction(async parsed =>
        {
            var lines = parsed.GetValue(shell) is "zsh" ? $"{ForZsh}\n{Script}" : Script;
            await context.Output.WriteLineAsync(lines);
            return 0;
        });
        return completions;
    }
}
