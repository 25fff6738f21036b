using System.Text;
using System.Text.RegularExpressions;

namespace EndToEnd.Support;

/// <summary>Looks for the secrets that a program was given in all that it gives away.</summary>
public sealed partial class SecretSearch
{
    public const string ApiKey = "5ec3e7a9100c0ffee0d15ea5e0ba5e11";
    public const string AppKey = "5ec3e7ab200c0ffee0d15ea5e0ba5e1100facade";

    private static readonly string[] Kinds = ["KEY", "PASSWORD", "SECRET"];

    private readonly Lock _lock = new();
    private readonly HashSet<string> _secrets = [ApiKey, AppKey];
    private readonly List<string> _found = [];

    /// <summary>Where one was found, and how many looks there were.</summary>
    public (IReadOnlyList<string> Found, int Looks) Result
    {
        get
        {
            lock (_lock)
            {
                return ([.. _found], Looks);
            }
        }
    }

    private int Looks { get; set; }

    public void Add(string secret)
    {
        lock (_lock)
        {
            _secrets.Add(secret);
        }
    }

    /// <summary>Takes for secrets the variables whose name says so.</summary>
    public void Add(IEnumerable<KeyValuePair<string, string>> environment)
    {
        foreach (var (name, value) in environment)
        {
            if (Kinds.Any(kind => name.EndsWith(kind, StringComparison.Ordinal)) && value.Length > 0)
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
            Add(match.Groups[2].Value);
        }
    }

    public void LookAt(string place, string text)
    {
        lock (_lock)
        {
            Looks++;
            _found.AddRange(_secrets.Where(text.Contains).Select(secret => $"{secret[..6]}… in {place}"));
        }
    }

    public void LookAtFolder(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            LookAt(file, Encoding.Latin1.GetString(bytes.ToArray()));
        }
    }

    /// <summary>Looks at the address and the whole answer of every call.</summary>
    public HttpMessageHandler Around(HttpMessageHandler inner) => new Handler(this) { InnerHandler = inner };

    [GeneratedRegex("\"(apiKey|appKey|secret|password)\" *: *\"([^\"]{8,})\"")]
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
