using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;

namespace StreamSpace.Plugins;

/// <summary>
/// What a plugin's entry assembly offers: exactly one public class with a parameterless constructor that
/// implements this. The host calls <see cref="LoadAsync"/> once, then <see cref="ConfigureAsync"/>, then
/// <see cref="Apply"/> and <see cref="HandleAsync"/> as things happen, and <see cref="UnloadAsync"/> last. No two of these
/// calls run at once; the properties are read at any time, from any thread, and should answer at once. At the very end, after
/// <see cref="UnloadAsync"/> or, when the plugin did not come back from a call, in its place, the host disposes it.
/// </summary>
public interface IPlugin : IAsyncDisposable
{
    /// <summary>
    /// True while everything this plugin sends stays on this machine. The demo platform runs only while every
    /// loaded plugin says so. False is the safe answer, and the default. When a config takes it from true to false,
    /// the plugin must not send to the new place what the demo told it; an empty snapshot follows at once.
    /// </summary>
    bool KeepsDataLocal => false;

    /// <summary>
    /// How often it wants to know anew what only a look can tell, such as what sessions use; null: it does not mind.
    /// </summary>
    TimeSpan? LookEvery => null;

    /// <summary>The config in force, secrets left out; empty while none is.</summary>
    JsonObject Config { get; }

    /// <summary>
    /// Where the value of each key in force comes from, or its absence: a plugin may lay an environment of its own over what
    /// the host gives, or leave of it what it may not apply. Empty while no config is in force.
    /// </summary>
    IReadOnlyDictionary<string, SettingSource> Origins => FrozenDictionary<string, SettingSource>.Empty;

    /// <summary>What the plugin has to say about itself, secrets left out. Served as its status document.</summary>
    JsonObject Status => [];

    /// <summary>
    /// What an operator should know now, secrets left out: what is not as it should be, what of the config in force was not
    /// applied, and what its last change does that he may not expect, named by its key. Its worst is the plugin's verdict.
    /// </summary>
    IReadOnlyList<CheckFinding> Findings => [];

    /// <summary>Commands that an operator can run.</summary>
    IReadOnlyList<PluginCommand> Commands => [];

    /// <summary>
    /// Null when the plugin can take and keep data, else one sentence that says why it cannot. Feeds the host's
    /// readiness answer.
    /// </summary>
    string? ReadinessError => null;

    /// <summary>
    /// How many of what it was given it has neither delivered nor given up, by the word for them ("metric points"), without
    /// zeros; null when it cannot tell. Asked once more after <see cref="UnloadAsync"/>: uninstalling the plugin loses them.
    /// </summary>
    IReadOnlyDictionary<string, long>? Undelivered => FrozenDictionary<string, long>.Empty;

    /// <summary>Takes the context; nothing of the platform arrives before this returns. Throwing means not loaded.</summary>
    ValueTask LoadAsync(IPluginContext context, CancellationToken cancellationToken);

    /// <summary>
    /// Puts <paramref name="settings"/> in force and returns an empty list, or returns every error in them and keeps
    /// what was in force. A plugin without any valid config stays loaded and says so in its status. A plugin sends a
    /// secret only where it came with: a place that a row names never meets a secret of another origin.
    /// </summary>
    /// <exception cref="IOException">It cannot now, for a disk or the time; what was in force stays, and it may be asked again.</exception>
    ValueTask<IReadOnlyList<ConfigError>> ConfigureAsync(PluginSettings settings, CancellationToken cancellationToken);

    /// <summary>
    /// Looks at <paramref name="settings"/> and at what they name, without putting them in force and without touching the
    /// data folder, which another process may work on. Asked of a plugin that is loaded and not configured.
    /// </summary>
    ValueTask<IReadOnlyList<CheckFinding>> CheckAsync(PluginSettings settings, CancellationToken cancellationToken) =>
        new([]);

    /// <summary>
    /// Takes what is true now: first a snapshot, then what changes, the newest alone. It is for memory only and must not wait
    /// for a disk or a network, so that it goes on while these fail.
    /// </summary>
    void Apply(PlatformState state) { }

    /// <summary>
    /// Takes facts in the order of the host's log. Returning means that they are durable, and the next ones follow. When it
    /// throws, the same facts come again, after a wait; and after a crash those whose return the host had not yet written
    /// down. Whoever must count each once keeps the log's id and the last sequence together with what was made of them, and
    /// passes over what is not beyond it.
    /// </summary>
    ValueTask HandleAsync(FactBatch batch, CancellationToken cancellationToken);

    /// <summary>
    /// Maps the plugin's endpoints under <c>/api/plugins/{route}</c>. Reading needs any signed-in caller, every
    /// other method the role admin or operator: the host sees to that.
    /// </summary>
    void MapEndpoints(IEndpointRouteBuilder routes) { }

    /// <summary>Stops, sends what it can until <paramref name="cancellationToken"/> fires, and lets go of everything.</summary>
    ValueTask UnloadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Ends the plugin's loops and closes its files, whatever else it is at: a call that hangs may hold any of its locks.
    /// <see cref="IPluginContext.Ended"/> has fired by then. No next copy is loaded before this returns, so that no two
    /// ever write to one file. Comes also after <see cref="UnloadAsync"/> has done all of it, and must do no harm then.
    /// </summary>
#pragma warning disable CA1816 // An interface has no finalizer to suppress.
    ValueTask IAsyncDisposable.DisposeAsync() => ValueTask.CompletedTask;
#pragma warning restore CA1816
}
