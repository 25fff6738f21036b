using System.Text.Json;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Faults;

/// <summary>Where a fault breaks the connection off.</summary>
internal enum Disconnect
{
    None,

    /// <summary>Before the body is read: nothing arrived.</summary>
    BeforeBody,

    /// <summary>After the body was taken and before the answer: the sender cannot know.</summary>
    AfterBody,
}

/// <summary>One way to misbehave on the next requests of a path.</summary>
internal sealed record Fault(
    PathPattern Path,
    int? Status,
    int Times,
    TimeSpan Delay,
    Disconnect Disconnect,
    IReadOnlyDictionary<string, string> Headers,
    string? Body
)
{
    private const int MaxTimes = 1_000_000;
    private const int MaxDelayMs = 600_000;
    private const int MaxHeaders = 32;

    private static readonly string[] Fields = ["path", "status", "times", "delayMs", "cut", "headers", "body"];

    /// <summary>How often it still strikes.</summary>
    public int Left { get; set; } = Times;

    /// <exception cref="ApiError">400, naming the field and what it may be.</exception>
    public static Fault Parse(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw ApiError.BadRequest("A fault is a JSON object");
        }
        foreach (var property in json.EnumerateObject())
        {
            if (!Fields.Contains(property.Name))
            {
                throw ApiError.BadRequest($"Unknown field; a fault has {string.Join(", ", Fields)}");
            }
        }

        var status = Number(json, "status", 200, 599);
        var delay = Number(json, "delayMs", 0, MaxDelayMs);
        var disconnect = DisconnectOf(json);
        if (status is null && delay is null && disconnect == Disconnect.None)
        {
            throw ApiError.BadRequest("A fault needs status, delayMs or cut");
        }
        if (status is not null && disconnect != Disconnect.None)
        {
            throw ApiError.BadRequest("cut: a cut connection has no status; give one of the two");
        }
        var headers = HeadersOf(json);
        var body = Text(json, "body");
        if (status is null && (body is not null || headers.Count > 0))
        {
            throw ApiError.BadRequest("headers and body need a status");
        }
        return new Fault(
            PathOf(json),
            status,
            Number(json, "times", 1, MaxTimes) ?? 1,
            TimeSpan.FromMilliseconds(delay ?? 0),
            disconnect,
            headers,
            body
        );
    }

    private static PathPattern PathOf(JsonElement json)
    {
        var path = Text(json, "path") ?? "";
        var star = path.IndexOf('*', StringComparison.Ordinal);
        return PathPattern.IsApi(path) && (star < 0 || star == path.Length - 1)
            ? new PathPattern(path)
            : throw ApiError.BadRequest("path: give a path under /api/ or /v1/, or the beginning of one followed by *");
    }

    private static Disconnect DisconnectOf(JsonElement json) =>
        Text(json, "cut") switch
        {
            null => Disconnect.None,
            "before" => Disconnect.BeforeBody,
            "after" => Disconnect.AfterBody,
            _ => throw ApiError.BadRequest("cut: before or after"),
        };

    private static Dictionary<string, string> HeadersOf(JsonElement json)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (!json.TryGetProperty("headers", out var list) || list.ValueKind == JsonValueKind.Null)
        {
            return headers;
        }
        if (list.ValueKind != JsonValueKind.Object)
        {
            throw ApiError.BadRequest("headers: an object of strings");
        }
        foreach (var header in list.EnumerateObject())
        {
            var isToken = header.Name.Length > 0 && header.Name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
            var value = header.Value.ValueKind == JsonValueKind.String ? header.Value.GetString()! : null;
            if (!isToken || value is null || value.Any(c => c is < ' ' or > '~'))
            {
                throw ApiError.BadRequest("headers: names of letters, digits and -, values of printable ASCII");
            }
            if (header.Name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) || IsFraming(header.Name))
            {
                throw ApiError.BadRequest(
                    "headers: Content-Length, Transfer-Encoding and Connection are not yours to set"
                );
            }
            headers[header.Name] = value;
        }
        return headers.Count <= MaxHeaders ? headers : throw ApiError.BadRequest($"headers: at most {MaxHeaders}");
    }

    private static bool IsFraming(string name) =>
        name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Connection", StringComparison.OrdinalIgnoreCase);

    private static int? Number(JsonElement json, string name, int min, int max)
    {
        if (!json.TryGetProperty(name, out var value))
        {
            return null;
        }
        return
            value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var number)
            && number >= min
            && number <= max
            ? number
            : throw ApiError.BadRequest($"{name}: a whole number from {min} to {max}");
    }

    private static string? Text(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }
        return value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : throw ApiError.BadRequest($"{name}: a string");
    }
}
