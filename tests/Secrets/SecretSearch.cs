using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Secrets;

/// <summary>Looks for the secrets that programs were given in all that they give away.</summary>
/// <param name="known">The first of them; more may be added.</param>
public sealed partial class SecretSearch(params IEnumerable<string> known)
{
    // Less would be found in what has nothing to do with it.
    private const int Shortest = 8;
    private const int Around = 200;

    private static readonly string[] Kinds = ["KEY", "PASSWORD", "SECRET"];

    private readonly Lock _lock = new();
    private readonly HashSet<string> _secrets = [.. known];
    private readonly List<string> _found = [];
    private SearchValues<string>? _values;

    /// <summary>Where one was found, each with the text around it.</summary>
    public IReadOnlyList<string> Found
    {
        get
        {
            lock (_lock)
            {
                return [.. _found];
            }
        }
    }

    /// <summary>Takes a text for a secret from now on.</summary>
    /// <exception cref="ArgumentException">It is so short that it would be found everywhere.</exception>
    public void Add(string secret)
    {
        if (secret.Length < Shortest)
        {
            throw new ArgumentException(
                $"A secret of less than {Shortest} characters cannot be searched for: {secret}."
            );
        }
        lock (_lock)
        {
            if (_secrets.Add(secret))
            {
                _values = null;
            }
        }
    }

    /// <summary>Takes for secrets the variables whose name says so.</summary>
    public void Add(IEnumerable<KeyValuePair<string, string>> environment)
    {
        foreach (var (name, value) in environment)
        {
            if (Kinds.Any(kind => name.EndsWith(kind, StringComparison.Ordinal)) && !string.IsNullOrWhiteSpace(value))
            {
                Add(value);
            }
        }
    }

    /// <summary>Takes for secrets the texts of a config whose name says so.</summary>
    public void AddFrom(string config)
    {
        foreach (Match match in Named().Matches(config))
        {
            Add(match.Groups[1].Value);
        }
    }

    /// <summary>Looks at a text, in whatever case the secret is written there.</summary>
    public void LookAt(string place, string text)
    {
        lock (_lock)
        {
            _values ??= SearchValues.Create([.. _secrets], StringComparison.OrdinalIgnoreCase);
            if (text.AsSpan().IndexOfAny(_values) is >= 0 and var at)
            {
                var begin = Math.Max(0, at - Around);
                _found.Add($"In {place}: {text[begin..Math.Min(text.Length, at + Around)]}");
            }
        }
    }

    /// <summary>Looks at every file, whatever is written in it.</summary>
    public void LookAtFolder(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            LookAt(file, Encoding.Latin1.GetString(bytes.GetBuffer(), 0, (int)bytes.Length));
        }
    }

    /// <summary>Looks at the whole answer of every call.</summary>
    public HttpMessageHandler LookingAt(HttpMessageHandler inner) => new Handler(this) { InnerHandler = inner };

    [GeneratedRegex("\"(?:key|apiKey|appKey|secret|password)\" *: *\"([^\"]{8,99})\"")]
    private static partial Regex Named();

    private sealed class Handler(SecretSearch search) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            var answer = await base.SendAsync(request, cancellationToken);
            await answer.Content.LoadIntoBufferAsync(cancellationToken);
            var body = await answer.Content.ReadAsStringAsync(cancellationToken);
            search.LookAt($"the answer to {request.RequestUri}", $"{answer.Headers} {answer.Content.Headers} {body}");
            return answer;
        }
    }
}
