using System.CommandLine;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Commands;

/// <summary><c>sign-in</c>: another one-time link of the running host.</summary>
internal static class SignInCommand
{
    public static Command Make(Func<ParseResult, HostSettings> settings, CommandContext around, CommandHelp help)
    {
        var signIn = new Command(
            "sign-in",
            $"Prints a new link to the running host's page: it works once, within {SignInCodes.Lifetime.TotalMinutes:0} minutes, and ends the one before."
        );
        help.Explain(
            signIn,
            """
            Needs nothing but to read the data folder.

            Examples:
              sign-in
              xdg-open "$(… sign-in)"
              kubectl -n streamspace exec deploy/streamspace-datadog -- ./StreamSpace.PluginHost sign-in --data /data

            Exit codes:
              0  the link is on standard output, alone
              1  no host runs on the data folder, or it does not answer
            """
        );
        signIn.SetAction(
            (parsed, cancellationToken) =>
                CommandLine.EndsWithASentenceAsync(
                    around.Error,
                    async () =>
                    {
                        using var host = HostClient.Of(settings(parsed).DataFolder, around.Clock);
                        var answer = await host.PostAsync("api/sign-in-link", cancellationToken);
                        await around.Output.WriteLineAsync((string?)answer["link"]);
                        return 0;
                    }
                )
        );
        return signIn;
    }
}
