using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace StreamSpace.PluginHost;

/// <summary>Makes and checks StreamSpace's tokens: JWT, HS256, with the claims of reference/streamspace.md §4.2.</summary>
internal sealed class AccessTokens
{
    private const string Issuer = "streamspace-api";

    // Two machines' clocks may differ by this much.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false };
    private readonly TimeProvider _clock;
    private readonly SymmetricSecurityKey _key;

    public AccessTokens(byte[] secret, TimeProvider clock)
    {
        _key = new SymmetricSecurityKey(secret);
        _clock = clock;
        Validation = new TokenValidationParameters
        {
            IssuerSigningKey = _key,
            ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
            ValidIssuer = Issuer,
            ValidateAudience = false,
            LifetimeValidator = (notBefore, expires, _, _) => IsNow(notBefore, expires),
            NameClaimType = "username",
            RoleClaimType = "role",
        };
    }

    public TokenValidationParameters Validation { get; }

    public string Issue(string role, TimeSpan lifetime)
    {
        var now = _clock.GetUtcNow();
        return _handler.CreateToken(
            new SecurityTokenDescriptor
            {
                Claims = new Dictionary<string, object>
                {
                    ["user_id"] = role,
                    ["username"] = role,
                    ["role"] = role,
                    ["sub"] = role,
                    ["jti"] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)),
                },
                Issuer = Issuer,
                IssuedAt = now.UtcDateTime,
                NotBefore = now.UtcDateTime,
                Expires = (now + lifetime).UtcDateTime,
                SigningCredentials = new SigningCredentials(_key, SecurityAlgorithms.HmacSha256),
            }
        );
    }

    /// <summary>True when the token is good now.</summary>
    public bool IsGood(string token)
    {
        // With one key at hand the handler has nothing to wait for: the task is complete when it returns.
        return _handler.ValidateTokenAsync(token, Validation).GetAwaiter().GetResult().IsValid;
    }

    private bool IsNow(DateTime? notBefore, DateTime? expires)
    {
        var now = _clock.GetUtcNow().UtcDateTime;
        return expires > now - ClockSkew && (notBefore is null || notBefore <= now + ClockSkew);
    }
}
