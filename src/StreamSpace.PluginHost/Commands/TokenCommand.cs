using System.CommandLine;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Commands;

/// <summary><c>token</c>: one token for the API of the host of a data folder.</summary>
internal static class TokenCommand
{
    public static Command Make(Func<ParseResult, HostSettings> settings, CommandContext around, CommandHelp help)
    {
        var role = new Option<string>("--role")
        {
            Description = "What the token may do: a user reads, an operator or admin also changes.",
            DefaultValueFactory = _ => Roles.Admin,
        };
        role.AcceptOnlyFromAmong(Roles.All);
        var days = new Option<int>("--days")
        {
            Description = "How many days it is good for, 1 to 365.",
            DefaultValueFactory = _ => 1,
        };
        days.Validators.Add(option =>
        {
            if (option.GetValueOrDefault<int>() is < 1 or > 365)
            {
                option.AddError("--days must be from 1 to 365.");
            }
        });
        var token = new Command("token", "Prints one token for the API, and nothing else.") { role, days };
        help.Explain(
            token,
            """
            It opens the API of the host that ran, or runs, on the data folder. To end all tokens, delete token-key there
            and restart the host.

            Examples:
              TOKEN=$(… token)
              TOKEN=$(… token --role user --days 30 --data /var/lib/streamspace-datadog)
              curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8090/api/status

            Exit codes:
              0  the token is on standard output, alone
              1  no host has run on the data folder, or this user may not read its secret
            """
        );
        token.SetAction(
            (parsed, _) =>
                CommandLine.EndsWithASentenceAsync(
                    around.Error,
                    async () =>
                    {
                        var tokens = AccessTokens.OfFolder(settings(parsed).DataFolder, around.Clock);
                        var lifetime = TimeSpan.FromDays(parsed.GetValue(days));
                        await around.Output.WriteLineAsync(tokens.Issue(parsed.GetValue(role)!, lifetime));
                        return 0;
                    }
                )
        );
        return token;
    }
}
