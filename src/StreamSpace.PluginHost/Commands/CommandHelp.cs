using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace StreamSpace.PluginHost.Commands;

/// <summary><c>--help</c>: usage and options, and below them what a command's author explains, such as examples and exit codes.</summary>
internal sealed class CommandHelp : SynchronousCommandLineAction
{
    private readonly Dictionary<Command, string> _explained = [];
    private readonly HelpAction _usage = new();

    /// <summary>Puts a text below the usage of a command.</summary>
    public void Explain(Command command, string text) => _explained[command] = text;

    public override int Invoke(ParseResult parseResult)
    {
        var code = _usage.Invoke(parseResult);
        if (_explained.GetValueOrDefault(parseResult.CommandResult.Command) is { } text)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(text);
        }
        return code;
    }
}
