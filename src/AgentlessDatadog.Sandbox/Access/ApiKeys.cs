using System.Collections.Frozen;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Access;

/// <summary>Which keys are valid, and where a request carries them (docs/reference/datadog.md §2.1).</summary>
internal sealed class ApiKeys
{
    private const int ApiKeyLength = 32;
    private const int ApplicationKeyLength = 40;

    private readonly FrozenSet<string> _apiKeys;
    private readonly FrozenSet<string> _applicationKeys;

    /// <exception cref="ArgumentException">A key has neither shape; the message does not repeat it.</exception>
    public ApiKeys(IReadOnlyList<string>? keys)
    {
        keys ??= [];
        for (var i = 0; i < keys.Count; i++)
        {
            if (!IsWellFormed(keys[i], ApiKeyLength) && !IsWellFormed(keys[i], ApplicationKeyLength))
            {
                throw new ArgumentException(
                    $"Key {i + 1} of {keys.Count} is neither an API key (32 hex digits) nor an application key (40)."
                );
            }
        }
        _apiKeys = OfLength(keys, ApiKeyLength);
        _applicationKeys = OfLength(keys, ApplicationKeyLength);
    }

    /// <param name="request">What should carry it.</param>
    /// <param name="missing">The status for none; logs alone have another than 403 (docs/reference/datadog.md §6.1).</param>
    /// <exception cref="ApiError">403 or <paramref name="missing"/>: no API key, or not a valid one.</exception>
    public void RequireApiKey(HttpRequest request, int missing = StatusCodes.Status403Forbidden)
    {
        var key = Find(request, "DD-API-KEY", "api_key");
        if (string.IsNullOrEmpty(key))
        {
            throw new ApiError(missing, "API key required");
        }
        if (!IsValid(key, ApiKeyLength, _apiKeys))
        {
            throw ApiError.Forbidden();
        }
    }

    /// <summary>Reading and configuring need the application key besides.</summary>
    /// <exception cref="ApiError">403: one of the two is missing or not valid.</exception>
    public void RequireBothKeys(HttpRequest request)
    {
        RequireApiKey(request);
        var key = Find(request, "DD-APPLICATION-KEY", "application_key");
        if (string.IsNullOrEmpty(key) || !IsValid(key, ApplicationKeyLength, _applicationKeys))
        {
            throw ApiError.Forbidden();
        }
    }

    private static string? Find(HttpRequest request, string header, string parameter) =>
        (string?)request.Headers[header] ?? (string?)request.Query[parameter];

    private static bool IsValid(string key, int length, FrozenSet<string> valid) =>
        IsWellFormed(key, length) && (valid.Count == 0 || valid.Contains(key));

    private static bool IsWellFormed(string key, int length) => key.Length == length && key.All(char.IsAsciiHexDigit);

    private static FrozenSet<string> OfLength(IReadOnlyList<string> keys, int length) =>
        keys.Where(key => key.Length == length).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
}
