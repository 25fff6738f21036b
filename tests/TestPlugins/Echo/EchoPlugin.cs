using System.Globalization;
using System.Runtime.Loader;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using StreamSpace.Plugins;

namespace Echo;

/// <summary>Does what it is told, and leaves in its data folder the traces by which a test sees it.</summary>
public sealed class EchoPlugin : IPlugin, IAsyncDisposable
{
    private IPluginContext _context = null!;
    private long _events;
    private long _facts;
    private long _demoEvents;
    private long _snapshots;
    private long _configs;
    private FileStream? _store;
    private Timer? _thrower;

    public JsonObject Config { get; private set; } = [];

    public bool KeepsDataLocal => (bool?)Config["keepsLocal"] ?? false;

    // "12 metric points" for each line that a test has written; the word alone when it is not to know.
    public IReadOnlyDictionary<string, long>? Undelivered
    {
        get
        {
            var file = Path.Combine(_context.DataFolder, "undelivered");
            string[] lines = File.Exists(file) ? File.ReadAllLines(file) : [];
            return lines is ["unknown"]
                ? null
                : lines
                    .Select(line => line.Split(' ', 2))
                    .ToDictionary(line => line[1], line => long.Parse(line[0], CultureInfo.InvariantCulture));
        }
    }

    public string? ReadinessError => Config.Count == 0 ? "Echo has no config." : null;

    public JsonObject Status
    {
        get
        {
            if ((string?)Config["status"] == "block")
            {
                File.WriteAllText(Path.Combine(_context.DataFolder, "asked"), "");
                using var never = new ManualResetEventSlim();
                never.Wait(CancellationToken.None);
            }
            return Said;
        }
    }

    private JsonObject Said =>
        new()
        {
            ["facts"] = Interlocked.Read(ref _facts),
            ["code"] = typeof(EchoPlugin).Assembly.GetName().Version!.ToString(3),
            ["events"] = Interlocked.Read(ref _events),
            ["demoEvents"] = Interlocked.Read(ref _demoEvents),
            ["snapshots"] = Interlocked.Read(ref _snapshots),
            ["configs"] = Interlocked.Read(ref _configs),
            ["state"] = "a word that only the host may say",
        };

    public ValueTask LoadAsync(IPluginContext context, CancellationToken cancellationToken)
    {
        _context = context;
        if (context.Environment.TryGetValue("ECHO_LOAD_ERROR", out var error))
        {
            throw new InvalidOperationException(error);
        }
        if (context.Environment.ContainsKey("ECHO_STORE"))
        {
            // Of one copy alone, as a database is.
            _store = new FileStream(
                Path.Combine(context.DataFolder, "store"),
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.None
            );
            _ = LoopAsync(context);
        }
        context.Logger.LogInformation("Loaded with sandbox {Sandbox}.", context.Sandbox);
        return default;
    }

    public async ValueTask<IReadOnlyList<ConfigError>> ConfigureAsync(
        PluginSettings settings,
        CancellationToken cancellationToken
    )
    {
        Interlocked.Increment(ref _configs);
        if (_context.Environment.ContainsKey("ECHO_CONFIG_HANGS") || IsLaid("config-hangs"))
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        }
        if (IsLaid("config-later"))
        {
            throw new IOException("The flush is held.");
        }
        var errors = new List<ConfigError>();
        var config = settings.Values;
        if (_context.Environment.TryGetValue("ECHO_INTERVAL", out var interval))
        {
            config["interval"] = interval;
        }
        var read = _context.Manifest.ConfigSchema.Read(config, errors);
        if (errors.Count == 0)
        {
            Config = read;
            File.WriteAllText(
                Path.Combine(_context.DataFolder, "key-length"),
                ((string?)read["key"])?.Length.ToString(CultureInfo.InvariantCulture) ?? "none"
            );
        }
        return errors;
    }

    public void Apply(PlatformState state)
    {
        Interlocked.Add(ref _snapshots, state.IsSnapshot ? 1 : 0);
        Count(state.Sessions.Count + (state.Users is null ? 0 : 1), state.IsDemo);
    }

    public ValueTask HandleAsync(FactBatch batch, CancellationToken cancellationToken)
    {
        Count(batch.Facts.Count, batch.IsDemo);
        switch ((string?)Config["handle"])
        {
            case "hang":
                return new ValueTask(Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None));
            case "block":
                // Holds its very thread, as code that waits for a lock would.
                using (var never = new ManualResetEventSlim())
                {
                    never.Wait(CancellationToken.None);
                }
                break;
            case "throw":
                throw new InvalidOperationException("Not this one.");
        }
        // As if its disk failed, while a test says so.
        if (IsLaid("disk-fails"))
        {
            throw new IOException("The disk is full.");
        }
        var facts = batch.Facts.Where(_ => !batch.IsDemo).Select(fact => fact.Id).ToList();
        File.AppendAllLines(Path.Combine(_context.DataFolder, "facts"), facts);
        Interlocked.Add(ref _facts, facts.Count);
        return default;
    }

    private void Count(int events, bool isDemo)
    {
        Interlocked.Add(ref _events, events);
        Interlocked.Add(ref _demoEvents, isDemo ? events : 0);
    }

    public void MapEndpoints(IEndpointRouteBuilder routes)
    {
        if (_context.Environment.TryGetValue("ECHO_MAP_ERROR", out var error))
        {
            throw new InvalidOperationException(error);
        }
        routes
            .MapPost(
                "/echo",
                async (HttpRequest request) =>
                {
                    await File.WriteAllTextAsync(Path.Combine(_context.DataFolder, "echoing"), "");
                    using var reader = new StreamReader(request.Body);
                    return Results.Text(await reader.ReadToEndAsync());
                }
            )
            .WithName("GiveBack")
            .WithSummary("Gives back what it gets")
            .WithMetadata(new RequestExample("""{"say":"hello"}"""))
            .Accepts<JsonObject>("application/json")
            .Produces<string>(StatusCodes.Status200OK, "text/plain");
        routes
            .MapGet(
                "/slow",
                async (CancellationToken token) =>
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token)
            )
            .ExcludeFromDescription();
        routes
            .MapGet(
                "/stuck",
                async () => await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None)
            )
            .ExcludeFromDescription();
        routes
            .MapPost(
                "/swallow",
                async (HttpRequest request) =>
                {
                    using var reader = new StreamReader(request.Body);
                    var text = await reader.ReadToEndAsync();
                    try
                    {
                        throw new InvalidOperationException(text);
                    }
                    catch (InvalidOperationException)
                    {
                        using var client = new HttpClient();
                        // Nobody is there.
                        Task asked = client.GetAsync(new Uri($"http://127.0.0.1:1/?{text}"));
                        await asked.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    }
                }
            )
            .ExcludeFromDescription();
        routes
            .MapPost(
                "/throw-later/{how}",
                (string how) =>
                {
                    if (how == "timer")
                    {
                        _thrower = new Timer(_ => Throw(how), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
                    }
                    else
                    {
                        ThrowAsync(how);
                    }
                }
            )
            .ExcludeFromDescription();
        routes.MapGet("/open", () => "not open").WithMetadata(new AllowAnonymousAttribute());
        // Loads the package only when it is asked.
        routes.MapGet("/own-package", () => AssemblyLoadContext.GetLoadContext(typeof(Serilog.Log).Assembly)!.Name);
        routes.MapGet("/status", () => "not the plugin's to say");
    }

    public async ValueTask UnloadAsync(CancellationToken cancellationToken)
    {
        switch ((string?)Config["unload"])
        {
            case "throw":
                throw new InvalidOperationException("Not today.");
            case "hang":
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
                break;
            case "late":
                // Works on until it is told to finish, and finishing takes a moment.
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None);
                break;
        }
        await File.WriteAllTextAsync(Path.Combine(_context.DataFolder, "unloaded"), "", CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (IsLaid("dispose-hangs"))
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        }
        // Without waiting: the runtime takes the callback of one that threw for running.
        _thrower?.Dispose();
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }
    }

    // A file that a test lays beside the traces, and takes away again.
    private bool IsLaid(string name) => File.Exists(Path.Combine(_context.DataFolder, name));

    private static async Task LoopAsync(IPluginContext context)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.Ended)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await File.AppendAllTextAsync(Path.Combine(context.DataFolder, "loops-ended"), "1", CancellationToken.None);
    }

    private static async void ThrowAsync(string how)
    {
        await Task.Yield();
        Throw(how);
    }

    private static void Throw(string how) => throw new InvalidOperationException($"Thrown by {how}.");
}
