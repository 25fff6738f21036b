namespace StreamSpace.Plugins;

/// <summary>A command that an operator can run: <c>StreamSpace.PluginHost plugin {route} {name} …</c>.</summary>
/// <param name="Name">One lower-case word.</param>
/// <param name="Description">One sentence for the list of commands.</param>
/// <param name="RunAsync">
/// Gets the arguments behind the name, and where to write; gives the exit code. The plugin is loaded and not configured,
/// and another process may be at work on its data folder.
/// </param>
public sealed record PluginCommand(
    string Name,
    string Description,
    Func<IReadOnlyList<string>, TextWriter, CancellationToken, Task<int>> RunAsync
);
