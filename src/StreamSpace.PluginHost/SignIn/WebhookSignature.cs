using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;

namespace StreamSpace.PluginHost.SignIn;

/// <summary>
/// How StreamSpace signs its webhooks: the lower-case hex HMAC-SHA256 of the body, in a header. Without a secret nothing
/// counts as signed.
/// </summary>
/// <param name="environment">Its variables; the secret has no <see cref="Error"/>.</param>
internal sealed class WebhookSignature(IReadOnlyDictionary<string, string> environment)
{
    /// <summary>The variable with the webhook's secret.</summary>
    public const string SecretVariable = "WEBHOOK_SIGNING_SECRET";

    private const string Header = "X-StreamSpace-Signature";

    // In bytes. Shorter ones can be found by trying; StreamSpace's own have 38 and more.
    private const int ShortestSecret = 16;

    private static readonly ClaimsPrincipal Signer = new(new ClaimsIdentity(authenticationType: Header));

    private readonly byte[]? _secret = environment.GetValueOrDefault(SecretVariable) is { } secret
        ? Encoding.UTF8.GetBytes(secret)
        : null;

    /// <summary>One sentence when the secret cannot be used, else null.</summary>
    public static string? Error(IReadOnlyDictionary<string, string> environment) =>
        environment.GetValueOrDefault(SecretVariable) is { } secret
        && Encoding.UTF8.GetByteCount(secret) is < ShortestSecret and var bytes
            ? $"{SecretVariable} has {bytes} bytes and needs at least {ShortestSecret}: set the webhook's own secret, or leave it unset, and no signature is taken."
            : null;

    /// <summary>True when the request carries the header, whatever is in it.</summary>
    public static bool IsGiven(HttpRequest request) => request.Headers.ContainsKey(Header);

    /// <summary>Why the signature cannot be one, before the body is known; null when it may be.</summary>
    public string? RequestError(HttpRequest request) =>
        _secret is null ? $"No signature is taken here: {SecretVariable} is not set."
        : request.Headers[Header].ToString() is { Length: 2 * HMACSHA256.HashSizeInBytes } hex
        && hex.All(char.IsAsciiHexDigitLower)
            ? null
        : $"{Header} is the lower-case hex HMAC-SHA256 of the body: {2 * HMACSHA256.HashSizeInBytes} digits.";

    /// <summary>True when the body is signed; from then on the caller is known.</summary>
    public bool Verify(HttpContext http, ReadOnlySpan<byte> body)
    {
        var isGood =
            _secret is not null
            && CryptographicOperations.FixedTimeEquals(
                Encoding.ASCII.GetBytes(Convert.ToHexStringLower(HMACSHA256.HashData(_secret, body))),
                Encoding.ASCII.GetBytes(http.Request.Headers[Header].ToString())
            );
        if (isGood)
        {
            http.User = Signer;
        }
        return isGood;
    }
}
