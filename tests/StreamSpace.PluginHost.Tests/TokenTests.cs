using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Shouldly;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>Our own tokens and StreamSpace's: each opens what is its own, and none can be taken for the other.</summary>
public sealed class TokenTests
{
    private const string Config = "api/plugins/echo/config";

    private static readonly byte[] JwtSecret = Encoding.UTF8.GetBytes(Secret.JwtSecret);

    [Theory]
    [InlineData("user", HttpStatusCode.Forbidden)]
    [InlineData("operator", HttpStatusCode.OK)]
    [InlineData("admin", HttpStatusCode.OK)]
    public async Task ATokenOfStreamSpaceOpensTheApiWithItsRole(string role, HttpStatusCode written)
    {
        await using var host = await StartAsync();
        var token = Jwt.Sign(Jwt.StreamSpaces(role), JwtSecret);
        (await host.SendAsync(HttpMethod.Get, "api/status", token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var put = await host.SendAsync(HttpMethod.Put, Config, token, TestHost.Json("{}"));
        put.StatusCode.ShouldBe(written);
        // Ours are good beside it.
        (await host.GetAsync(Config)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task ATokenOfOursIsNobodyToStreamSpace()
    {
        await using var host = await StartAsync();
        var signedIn = await host.SendAsync(HttpMethod.Get, host.SignInLink.PathAndQuery);
        var cookie = signedIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0].Split('=', 2)[1];
        foreach (var token in (string[])[host.Admin, cookie])
        {
            var claims = Jwt.Read(token);
            foreach (var read in (string[])["user_id", "username", "email", "role", "groups", "sub"])
            {
                claims.ContainsKey(read).ShouldBeFalse(read);
            }
            ((string?)claims["iss"]).ShouldBe("streamspace-plugin-host");
            ((string?)claims["aud"]).ShouldBe("streamspace-plugin-host");
            // Its signature is not one under JWT_SECRET, the only thing that StreamSpace looks at first.
            Jwt.Sign(claims, JwtSecret).Split('.')[2].ShouldNotBe(token.Split('.')[2]);
            WithSameHeader(token, JwtSecret).ShouldNotBe(token.Split('.')[2]);
        }

        static string WithSameHeader(string token, byte[] key) =>
            Microsoft.AspNetCore.WebUtilities.WebEncoders.Base64UrlEncode(
                HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(token[..token.LastIndexOf('.')]))
            );
    }

    [Fact]
    public async Task NoTokenIsTakenForOneOfTheOtherKindNorWithoutAGoodSignature()
    {
        await using var host = await StartAsync();
        var ourKey = SigningKey.Own(host.Settings.DataFolder);
        var ours = Jwt.Read(host.Admin);
        var theirs = Jwt.StreamSpaces("admin");
        (string Why, string Token)[] bad =
        [
            ("no token", "not-a-token"),
            ("three empty parts", ".."),
            ("ours, unsigned", Jwt.Unsigned(ours)),
            ("StreamSpace's, unsigned", Jwt.Unsigned(theirs)),
            ("ours, signed by StreamSpace", Jwt.Sign(ours, JwtSecret)),
            ("StreamSpace's, signed by us", Jwt.Sign(theirs, ourKey)),
            ("StreamSpace's claims under our issuer", Jwt.Sign(With(theirs, "iss", ours["iss"]), JwtSecret)),
            ("our claims under StreamSpace's issuer", Jwt.Sign(With(ours, "iss", theirs["iss"]), ourKey)),
            ("another issuer", Jwt.Sign(With(theirs, "iss", "streamspace"), JwtSecret)),
            ("no issuer", Jwt.Sign(With(theirs, "iss", null), JwtSecret)),
            ("ours for another audience", Jwt.Sign(With(ours, "aud", "streamspace-api"), ourKey)),
            ("ours without an audience", Jwt.Sign(With(ours, "aud", null), ourKey)),
            ("ours, expired", host.Tokens.Issue(Roles.Admin, TimeSpan.FromMinutes(-5))),
            ("ours without an end", Jwt.Sign(With(ours, "exp", null), ourKey)),
            ("StreamSpace's, expired", Jwt.Sign(With(theirs, "exp", 1_700_000_000), JwtSecret)),
            ("StreamSpace's without an end", Jwt.Sign(With(theirs, "exp", null), JwtSecret)),
            ("ours, HS512", Jwt.Sign(ours, ourKey, "HS512", HMACSHA512.HashData)),
            ("StreamSpace's, HS512", Jwt.Sign(theirs, JwtSecret, "HS512", HMACSHA512.HashData)),
            ("under an empty key", Jwt.Sign(theirs, [])),
            ("under a key of nobody", Jwt.Sign(theirs, RandomNumberGenerator.GetBytes(32))),
        ];
        foreach (var (why, token) in bad)
        {
            var response = await host.SendAsync(HttpMethod.Get, Config, token);
            response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, why);
            response.Headers.WwwAuthenticate.Single().Parameter.ShouldNotBeNull(why).ShouldContain("invalid_token");
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t")]
    public async Task WithoutASecretOfStreamSpaceNoTokenIsItsOwnAndAnEmptyOneIsNone(string? secret)
    {
        await using var host = await StartAsync(secret);
        foreach (
            var key in (byte[][])
                [
                    [],
                    Encoding.UTF8.GetBytes(secret ?? ""),
                    new byte[32],
                    JwtSecret,
                ]
        )
        {
            var token = Jwt.Sign(Jwt.StreamSpaces("admin"), key);
            (await host.SendAsync(HttpMethod.Get, Config, token)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }
        (await host.GetAsync(Config)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public void ASecretIsAsLongAsStreamSpaceCountsIt()
    {
        // 16 letters of two bytes each: StreamSpace starts with it.
        SigningKey.Error(Environment(new string('ß', 16))).ShouldBeNull();
        SigningKey.Error(Environment(new string('s', 31))).ShouldNotBeNull().ShouldContain("31 bytes");
    }

    [Fact]
    public async Task ARefusalSaysWhatIsWrongWithTheToken()
    {
        await using var host = await StartAsync();
        var ours = Jwt.Read(host.Admin);
        (string Why, string Token)[] bad =
        [
            ("it has expired", host.Tokens.Issue(Roles.Admin, TimeSpan.FromMinutes(-5))),
            ("it was signed with another secret", Jwt.Sign(ours, RandomNumberGenerator.GetBytes(32))),
            ("it is malformed", "not-a-token"),
        ];
        foreach (var (why, token) in bad)
        {
            var response = await host.SendAsync(HttpMethod.Get, Config, token);
            ((string?)(await TestHost.BodyAsync(response))["detail"]).ShouldNotBeNull().ShouldContain(why);
        }
    }

    private static JsonObject With(JsonObject claims, string name, JsonNode? value)
    {
        var changed = (JsonObject)claims.DeepClone();
        changed.Remove(name);
        if (value is not null)
        {
            changed[name] = value.DeepClone();
        }
        return changed;
    }

    private static Dictionary<string, string> Environment(string? secret) =>
        secret is null ? [] : new Dictionary<string, string> { ["JWT_SECRET"] = secret };

    private static Task<TestHost> StartAsync(string? secret = Secret.JwtSecret) =>
        TestHost.StartAsync(TestHost.NewSettings() with { Environment = Environment(secret) });
}
