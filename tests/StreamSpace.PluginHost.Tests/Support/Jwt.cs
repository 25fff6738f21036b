using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;

namespace StreamSpace.PluginHost.Tests.Support;

/// <summary>Tokens made by hand, as StreamSpace makes them and as nobody should.</summary>
internal static class Jwt
{
    /// <summary>What StreamSpace writes into the token of somebody, for a day from now.</summary>
    public static JsonObject StreamSpaces(string role, string issuer = "streamspace-api")
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return new JsonObject
        {
            ["user_id"] = "ada",
            ["username"] = "ada",
            ["email"] = "ada@example.com",
            ["role"] = role,
            ["jti"] = "5f2c",
            ["iss"] = issuer,
            ["sub"] = "ada",
            ["iat"] = now,
            ["nbf"] = now,
            ["exp"] = now + 86_400,
        };
    }

    /// <summary>The claims of a token.</summary>
    public static JsonObject Read(string token) =>
        (JsonObject)JsonNode.Parse(WebEncoders.Base64UrlDecode(token.Split('.')[1]))!;

    /// <summary>Signs claims under a key, by default with HS256.</summary>
    public static string Sign(
        JsonObject claims,
        byte[] key,
        string algorithm = "HS256",
        Func<byte[], byte[], byte[]>? sign = null
    )
    {
        var signed = $"{Encode($$"""{"alg":"{{algorithm}}","typ":"JWT"}""")}.{Encode(claims.ToJsonString())}";
        var signature = (sign ?? HMACSHA256.HashData)(key, Encoding.ASCII.GetBytes(signed));
        return $"{signed}.{WebEncoders.Base64UrlEncode(signature)}";
    }

    /// <summary>Claims that nobody signed.</summary>
    public static string Unsigned(JsonObject claims) =>
        $"{Encode("""{"alg":"none","typ":"JWT"}""")}.{Encode(claims.ToJsonString())}.";

    private static string Encode(string json) => WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes(json));
}
