using System.Security.Cryptography;
using System.Text;

namespace StreamSpace.PluginHost;

/// <summary>
/// The secret that signs tokens: StreamSpace's own <c>JWT_SECRET</c>, so that its tokens are good here, or one made
/// once and kept in the data folder.
/// </summary>
internal static class SigningKey
{
    // What StreamSpace itself demands (reference/streamspace.md §1.2).
    private const int ShortestSecret = 32;

    /// <exception cref="StartFault">The secret is too short.</exception>
    public static byte[] Find(IReadOnlyDictionary<string, string> environment, string dataFolder)
    {
        var secret = environment.GetValueOrDefault("JWT_SECRET");
        if (string.IsNullOrEmpty(secret))
        {
            return Encoding.UTF8.GetBytes(Kept(Path.Combine(dataFolder, "jwt-secret")));
        }
        return Fault(environment) is { } fault ? throw new StartFault(fault) : Encoding.UTF8.GetBytes(secret);
    }

    /// <summary>One sentence when <c>JWT_SECRET</c> cannot be used, else null.</summary>
    public static string? Fault(IReadOnlyDictionary<string, string> environment) =>
        environment.GetValueOrDefault("JWT_SECRET") is { Length: > 0 and < ShortestSecret } secret
            ? $"JWT_SECRET has {secret.Length} characters and needs at least {ShortestSecret}: set StreamSpace's own, or leave it unset and one is made."
            : null;

    private static string Kept(string file)
    {
        if (!File.Exists(file))
        {
            // Written whole under another name first: a second process never reads half a secret, and never
            // replaces one that is in use.
            var draft = $"{file}.{Guid.NewGuid():N}";
            using (var stream = OwnerOnly.Open(draft, FileMode.CreateNew))
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
        OwnerOnly.Close(file);
        var kept = File.ReadAllText(file).Trim();
        return kept.Length >= ShortestSecret
            ? kept
            : throw new StartFault(
                $"{file} is damaged: delete it, and one is made. Tokens given out before end with it."
            );
    }
}
