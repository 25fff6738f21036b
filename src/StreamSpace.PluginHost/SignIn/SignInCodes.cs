using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace StreamSpace.PluginHost.SignIn;

/// <summary>The code in the link that is printed at start: good once, and for ten minutes.</summary>
internal sealed class SignInCodes(TimeProvider clock)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private byte[]? _code;
    private DateTimeOffset _expires;

    /// <summary>A fresh code; the one before it ends.</summary>
    public string Issue()
    {
        var code = WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(32));
        lock (_lock)
        {
            (_code, _expires) = (Encoding.UTF8.GetBytes(code), clock.GetUtcNow() + Lifetime);
        }
        return code;
    }

    /// <summary>True for the code that is good now, which ends with this.</summary>
    public bool Redeem(string code)
    {
        lock (_lock)
        {
            var good =
                _code is not null
                && clock.GetUtcNow() < _expires
                && CryptographicOperations.FixedTimeEquals(_code, Encoding.UTF8.GetBytes(code));
            if (good)
            {
                _code = null;
            }
            return good;
        }
    }
}
