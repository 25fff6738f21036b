using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.SignIn;

/// <summary>
/// Makes our own tokens, and checks them and StreamSpace's. The issuer of a token says which kind it claims to be, and
/// each kind has a key, an issuer and a claim for the role of its own: none is ever good for the other.
/// </summary>
internal sealed class AccessTokens : TokenHandler
{
    // Ours say nothing that StreamSpace's API reads: no user, and the role under a name of our own.
    private const string Issuer = "streamspace-plugin-host";
    private const string Audience = "streamspace-plugin-host";
    private const string Role = "plugin_host_role";

    // What StreamSpace's API writes (its source: api/internal/auth/jwt.go). It names no audience.
    private const string StreamSpacesIssuer = "streamspace-api";
    private const string StreamSpacesRole = "role";

    // Two machines' clocks may differ by this much.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false };
    private readonly TimeProvider _clock;
    private readonly SignedOut _signedOut;
    private readonly SymmetricSecurityKey _key;
    private readonly TokenValidationParameters _ours;
    private readonly TokenValidationParameters? _streamSpaces;

    /// <param name="ownKey">Signs our own.</param>
    /// <param name="streamSpacesKey">StreamSpace's <c>JWT_SECRET</c>, or null: then its tokens are refused.</param>
    /// <param name="signedOut">Those that were ended before their time.</param>
    /// <param name="clock">Our clock.</param>
    public AccessTokens(byte[] ownKey, byte[]? streamSpacesKey, SignedOut signedOut, TimeProvider clock)
    {
        (_clock, _signedOut) = (clock, signedOut);
        _key = new SymmetricSecurityKey(ownKey);
        _ours = Rules(_key, Issuer, Role);
        _ours.ValidAudience = Audience;
        if (streamSpacesKey is not null)
        {
            _streamSpaces = Rules(new SymmetricSecurityKey(streamSpacesKey), StreamSpacesIssuer, StreamSpacesRole);
            _streamSpaces.ValidateAudience = false;
        }
    }

    /// <summary>Those of a data folder and an environment.</summary>
    /// <exception cref="StartupException">A key cannot be used; the message says what to do.</exception>
    public static AccessTokens Of(
        IReadOnlyDictionary<string, string> environment,
        string dataFolder,
        TimeProvider clock
    ) =>
        new(
            SigningKey.Own(dataFolder),
            SigningKey.StreamSpaces(environment),
            new SignedOut(Path.Combine(dataFolder, "signed-out"), clock),
            clock
        );

    /// <summary>Those of a folder in which a host has run, to issue some for it; nothing is changed there.</summary>
    /// <exception cref="StartupException">None has, or this user may not read its secret.</exception>
    public static AccessTokens OfFolder(string dataFolder, TimeProvider clock) =>
        new(
            SigningKey.Made(dataFolder),
            streamSpacesKey: null,
            new SignedOut(Path.Combine(dataFolder, "signed-out"), clock),
            clock
        );

    /// <summary>A new token of our own.</summary>
    public string Issue(string role, TimeSpan lifetime)
    {
        var now = _clock.GetUtcNow();
        return _handler.CreateToken(
            new SecurityTokenDescriptor
            {
                Claims = new Dictionary<string, object>
                {
                    [Role] = role,
                    [JwtRegisteredClaimNames.Jti] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
                },
                Issuer = Issuer,
                Audience = Audience,
                IssuedAt = now.UtcDateTime,
                NotBefore = now.UtcDateTime,
                Expires = (now + lifetime).UtcDateTime,
                SigningCredentials = new SigningCredentials(_key, SecurityAlgorithms.HmacSha256),
            }
        );
    }

    /// <summary>Ends one of ours before its time; one that is not good is left as it is.</summary>
    /// <exception cref="IOException">It has ended, but a restart will not know of it.</exception>
    public async Task EndAsync(string token)
    {
        if (await ValidateTokenAsync(token, _ours) is { IsValid: true, SecurityToken: JsonWebToken good })
        {
            _signedOut.Add(good.Id, good.ValidTo);
        }
    }

    /// <summary>Whose token it is, with his role; null when it is not good now.</summary>
    public ClaimsPrincipal? Read(string token)
    {
        // With the keys at hand the handler has nothing to wait for: the task is complete when it returns.
        var read = ValidateTokenAsync(token, _ours).GetAwaiter().GetResult();
        return read.IsValid ? new ClaimsPrincipal(read.ClaimsIdentity) : null;
    }

    /// <inheritdoc/>
    /// <remarks>The issuer decides about the parameters, not the caller.</remarks>
    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters _)
    {
        JsonWebToken read;
        try
        {
            read = _handler.ReadJsonWebToken(token);
        }
        catch (ArgumentException e)
        {
            return Refused(e);
        }
        var rules = read.Issuer == StreamSpacesIssuer ? _streamSpaces : _ours;
        if (rules is null)
        {
            return Refused(new SecurityTokenValidationException());
        }
        if (_signedOut.Holds(read.Id))
        {
            return Refused(new SignedOutException());
        }
        return await _handler.ValidateTokenAsync(read, rules);
    }

    /// <summary>Why a token was refused, in a clause with its full stop.</summary>
    public static string Why(Exception failure) =>
        failure switch
        {
            SecurityTokenInvalidLifetimeException => "it has expired, or is not good yet.",
            SecurityTokenSignatureKeyNotFoundException or SecurityTokenInvalidSignatureException =>
                "it was signed with another secret, as of another data folder, or before token-key was deleted.",
            ArgumentException => "it is malformed.",
            SignedOutException => "it was signed out.",
            _ => "it is of another kind than this host takes.",
        };

    private static TokenValidationResult Refused(Exception why) => new() { IsValid = false, Exception = why };

    private sealed class SignedOutException : SecurityTokenValidationException;

    private TokenValidationParameters Rules(SecurityKey key, string issuer, string role) =>
        new()
        {
            IssuerSigningKey = key,
            ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
            ValidIssuer = issuer,
            LifetimeValidator = (notBefore, expires, _, _) => IsNow(notBefore, expires),
            RoleClaimType = role,
        };

    private bool IsNow(DateTime? notBefore, DateTime? expires)
    {
        var now = _clock.GetUtcNow().UtcDateTime;
        return expires > now - ClockSkew && (notBefore is null || notBefore <= now + ClockSkew);
    }
}
