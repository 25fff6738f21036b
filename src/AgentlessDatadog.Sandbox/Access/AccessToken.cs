using System.Security.Cryptography;
using System.Text;

namespace AgentlessDatadog.Sandbox.Access;

/// <summary>
/// One secret that opens all of a sandbox, sent as a bearer token or, as browsers ask for it by themselves, as the password
/// of any name.
/// </summary>
internal sealed class AccessToken(string token)
{
    private readonly byte[] _token = Encoding.UTF8.GetBytes(token);

    /// <summary>A new one: 128 bits by chance.</summary>
    public static string New() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public SandboxAccess Of(HttpContext context)
    {
        var sent = context.Request.Headers.Authorization.ToString().Split(' ', 2) switch
        {
            ["Bearer", var bearer] => bearer,
            ["Basic", var basic] => PasswordOf(basic),
            _ => null,
        };
        if (sent is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(sent), _token))
        {
            return SandboxAccess.Write;
        }
        context.Response.Headers.WWWAuthenticate = "Basic realm=\"sandbox\"";
        return SandboxAccess.None;
    }

    private static string? PasswordOf(string basic)
    {
        var bytes = new byte[basic.Length];
        return
            Convert.TryFromBase64String(basic, bytes, out var length)
            && Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2) is [_, var password]
            ? password
            : null;
    }
}
