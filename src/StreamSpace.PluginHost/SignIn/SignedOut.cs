using System.Globalization;
using NamedFiles;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.SignIn;

/// <summary>
/// The tokens that were ended before their time, by their ids, until they would have expired. A file keeps them, so that
/// a restart does not bring one back: each line is an id and the second in which it expires.
/// </summary>
internal sealed class SignedOut
{
    private readonly Lock _lock = new();
    private readonly string _file;
    private readonly TimeProvider _clock;
    private readonly Dictionary<string, long> _expires = new(StringComparer.Ordinal);

    /// <exception cref="StartupException">The file cannot be read.</exception>
    public SignedOut(string file, TimeProvider clock)
    {
        (_file, _clock) = (file, clock);
        foreach (var line in Read(file))
        {
            if (
                line.Split(' ') is [var id, var second]
                && long.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var expires)
            )
            {
                _expires[id] = expires;
            }
        }
    }

    /// <summary>True for one that was ended.</summary>
    public bool Holds(string id)
    {
        lock (_lock)
        {
            return _expires.ContainsKey(id);
        }
    }

    /// <summary>Ends one.</summary>
    /// <exception cref="IOException">The file does not keep it; it has ended until a restart.</exception>
    /// <exception cref="UnauthorizedAccessException"><inheritdoc cref="IOException"/></exception>
    public void Add(string id, DateTime expires)
    {
        lock (_lock)
        {
            var now = _clock.GetUtcNow().ToUnixTimeSeconds();
            foreach (var (old, _) in _expires.Where(e => e.Value < now).ToList())
            {
                _expires.Remove(old);
            }
            _expires[id] = new DateTimeOffset(expires, TimeSpan.Zero).ToUnixTimeSeconds();
            var draft = $"{_file}.draft";
            using (var stream = PrivateFiles.Open(draft, FileMode.Create))
            using (var lines = new StreamWriter(stream))
            {
                foreach (var (each, second) in _expires)
                {
                    lines.Write(string.Create(CultureInfo.InvariantCulture, $"{each} {second}\n"));
                }
                lines.Flush();
                stream.Flush(flushToDisk: true);
            }
            File.Move(draft, _file, overwrite: true);
        }
    }

    private static string[] Read(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllLines(file) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"{file} cannot be read ({e.Message}): let this user read it, or delete it.", e);
        }
    }
}
