using System.Diagnostics;

namespace Secrets;

/// <summary>
/// One run of the tests of a project, the fixture of its assembly: hears what is thrown and asked for in it, and takes
/// away what it leaves behind. Whatever the tests give away is searched for the secrets that they know.
/// </summary>
public sealed class TestRun : IDisposable
{
    private static readonly DirectoryInfo Root = Directory.CreateTempSubdirectory("test-run-");
    private static readonly DirectoryInfo Searched = Root.CreateSubdirectory("searched");
    private static readonly DirectoryInfo Given = Root.CreateSubdirectory("given");

    private readonly Ear _ear = new Ear(Search.LookAt).Open();

    /// <summary>Knows all secrets of the run.</summary>
    public static SecretSearch Search { get; } = new(Secret.All);

    /// <summary>A new folder for what is tested to write to; it is searched, and goes, when the tests have run.</summary>
    public static string NewFolder() => NewFolder(Searched);

    /// <summary>A new folder for what is tested, or its far end, to be told secrets in; it goes when the tests have run.</summary>
    public static string NewGivenFolder() => NewFolder(Given);

    /// <summary>A client whose every answer is searched, and waited for as long as anything else.</summary>
    /// <param name="address">Where it asks; null when each request says so.</param>
    /// <param name="way">How it gets there; null for the network.</param>
    public static HttpClient NewClient(Uri? address = null, HttpMessageHandler? way = null) =>
        new(Search.LookingAt(way ?? new SocketsHttpHandler())) { BaseAddress = address, Timeout = Patience.Enough };

    /// <summary>Has all heard that is thrown and asked for in a .NET process.</summary>
    /// <param name="start">How it will be started.</param>
    /// <returns>The file with what is heard, in a folder that is searched.</returns>
    public static string Hear(ProcessStartInfo start)
    {
        var file = Path.Combine(NewFolder(), "heard");
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        start.Environment[StartupHook.Variable] = file;
        // A process that is killed would leave its pipes behind.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return file;
    }

    /// <summary>Where a secret was given away until now, each with the text around it.</summary>
    public static IReadOnlyList<string> SecretsFound()
    {
        Search.LookAtFolder(Searched.FullName);
        var full = Searched
            .EnumerateFiles("heard", SearchOption.AllDirectories)
            .Where(f => f.Length >= HeardFile.MaxBytes)
            .Select(f => $"In {f.FullName}, perhaps: more was heard than it takes.");
        return [.. Search.Found, .. full];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ear.Dispose();
        Root.Delete(recursive: true);
    }

    private static string NewFolder(DirectoryInfo parent) =>
        parent.CreateSubdirectory(Guid.NewGuid().ToString("N")).FullName;
}
