using System.Security.Cryptography;
using System.Text;
using NamedFiles;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.SignIn;

/// <summary>
/// The keys of tokens: one of our own, made once and kept in the data folder, and StreamSpace's <c>JWT_SECRET</c>, which
/// only checks: whoever holds a token of ours must not be anybody there.
/// </summary>
internal static class SigningKey
{
    private const string Variable = "JWT_SECRET";

    // In bytes: what StreamSpace itself demands (its source: api/cmd/main.go).
    private const int ShortestSecret = 32;

    /// <summary>The key of our own tokens. To delete its file ends them all.</summary>
    /// <exception cref="StartupException">The file is damaged.</exception>
    public static byte[] Own(string dataFolder)
    {
        var file = FileIn(dataFolder);
        if (!File.Exists(file))
        {
            Make(file);
        }
        PrivateFiles.Close(file);
        return Read(file);
    }

    /// <summary>That key where a host has made it already; nothing is changed.</summary>
    /// <exception cref="StartupException">No host ran in the folder, or its file cannot be read or is damaged.</exception>
    public static byte[] Made(string dataFolder)
    {
        var file = FileIn(dataFolder);
        try
        {
            return Read(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new StartupException(
                $"No host has run in {Path.GetDirectoryName(file)}, so no token of it can open anything: start one there first, or name its data folder with --data.",
                e
            );
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartupException($"{file} cannot be read: run this as the user that the host runs as.", e);
        }
    }

    /// <summary>The key of StreamSpace's tokens, or null when it is not set.</summary>
    /// <exception cref="StartupException">It is too short.</exception>
    public static byte[]? StreamSpaces(IReadOnlyDictionary<string, string> environment)
    {
        if (Error(environment) is { } error)
        {
            throw new StartupException(error);
        }
        return environment.GetValueOrDefault(Variable) is { } secret ? Encoding.UTF8.GetBytes(secret) : null;
    }

    /// <summary>One sentence when <c>JWT_SECRET</c> cannot be used, else null.</summary>
    public static string? Error(IReadOnlyDictionary<string, string> environment) =>
        environment.GetValueOrDefault(Variable) is { } secret
        && Encoding.UTF8.GetByteCount(secret) is < ShortestSecret and var bytes
            ? $"{Variable} has {bytes} bytes and needs at least {ShortestSecret}: set StreamSpace's own, or leave it unset, and StreamSpace's tokens are not taken."
            : null;

    private static string FileIn(string dataFolder) => Path.Combine(Path.GetFullPath(dataFolder), "token-key");

    // Written whole under another name first: a second process never reads half a secret, and never replaces one that is
    // in use.
    private static void Make(string file)
    {
        var draft = $"{file}.{Guid.NewGuid():N}";
        using (var stream = PrivateFiles.Open(draft, FileMode.CreateNew))
        {
            stream.Write(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32))));
            stream.Flush(flushToDisk: true);
        }
        try
        {
            File.Move(draft, file, overwrite: false);
        }
        catch (IOException) when (File.Exists(file))
        {
            File.Delete(draft);
        }
    }

    // Derived for this one purpose, whatever else the kept one may serve for.
    private static byte[] Read(string file)
    {
        var kept = File.ReadAllText(file).Trim();
        return kept.Length >= ShortestSecret
            ? HKDF.DeriveKey(
                HashAlgorithmName.SHA256,
                Encoding.ASCII.GetBytes(kept),
                outputLength: 32,
                info: "streamspace-plugin-host tokens"u8.ToArray()
            )
            : throw new StartupException(
                $"{file} is damaged: delete it, and one is made. Tokens given out before end with it."
            );
    }
}
