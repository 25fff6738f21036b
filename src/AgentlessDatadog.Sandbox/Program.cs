using System.CommandLine;
using AgentlessDatadog.Sandbox;
using AgentlessDatadog.Sandbox.Access;

var urls = new Option<string[]>("--urls")
{
    Description =
        "Where to listen; port 0 takes any free one. Beyond this machine everything but the intake asks for a token, "
        + "which is printed.",
    HelpName = "url",
    AllowMultipleArgumentsPerToken = true,
    DefaultValueFactory = _ => ["http://127.0.0.1:8091"],
};
var keys = new Option<string?>("--keys")
{
    Description =
        "The valid keys, separated by commas: API keys of 32 hex digits, application keys of 40. "
        + "Without it every well-formed key is valid.",
    HelpName = "a,b",
};
var keepPayloads = new Option<bool>("--keep-payloads")
{
    Description = "Keep the last bodies, up to 256 MiB, for GET /sandbox/payloads.",
};
var command = new RootCommand(
    "A strict local Datadog. Takes metrics and events as Datadog's API does, refuses what it refuses, shows them on "
        + "a live page and answers /api/v1/query. Point a sender's intake URL at it; see GET /sandbox/dropped for what "
        + "Datadog would have dropped without a word."
)
{
    urls,
    keys,
    keepPayloads,
};
command.SetAction(
    async (arguments, cancellationToken) =>
    {
        var addresses = arguments.GetRequiredValue(urls);
        var token = addresses.All(IsThisMachine) ? null : AccessToken.New();
        var options = new SandboxOptions
        {
            Urls = addresses,
            AccessToken = token,
            Keys = arguments.GetValue(keys)?.Split(',', StringSplitOptions.TrimEntries),
            KeepPayloads = arguments.GetValue(keepPayloads),
        };
        try
        {
            await using var server = await SandboxServer.StartAsync(
                options,
                TimeProvider.System,
                loggerFactory: null,
                cancellationToken
            );
            foreach (var address in server.Addresses)
            {
                Console.WriteLine($"Sandbox listening on {address}");
            }
            if (token is not null)
            {
                Console.WriteLine($"Token, as a bearer or as the password of any name: {token}");
            }
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return 0;
        }
        catch (ArgumentException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        catch (IOException e)
        {
            await Console.Error.WriteLineAsync($"{e.Message} Stop what listens there, or give another --urls.");
            return 1;
        }
        return 0;
    }
);
return await command.Parse(args).InvokeAsync();

static bool IsThisMachine(string url) =>
    !Uri.TryCreate(url, UriKind.Absolute, out var address) || HostGate.IsLoopback(address.Host);
