using System.Diagnostics;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Signals;

public sealed class SecretFilterTests
{
    private static readonly SecretFilter Filter = new(Secret.ApiKey);

    [Theory]
    [InlineData("password=hunter2 and more", "password=[redacted] and more")]
    [InlineData("Password: hunter2, user: ann", "Password: [redacted], user: ann")]
    [InlineData("DB_PASSWORD='a b c';", "DB_PASSWORD=[redacted];")]
    [InlineData("""{"apiKey":"abc def","user":"ann"}""", """{"apiKey":[redacted],"user":"ann"}""")]
    [InlineData("client_secret=abc&grant=x", "client_secret=[redacted]&grant=x")]
    [InlineData("access-token: abc", "access-token: [redacted]")]
    [InlineData("Authorization: Basic YWJjOmRlZg==", "Authorization: Basic [redacted]")]
    [InlineData("Authorization: Bearer abc", "Authorization: Bearer [redacted]")]
    [InlineData("with Bearer abcd1234efgh there", "with Bearer [redacted] there")]
    [InlineData("postgres://ann:s3cret@db:5432/x", "postgres://ann:[redacted]@db:5432/x")]
    [InlineData("nats：//ann:s3cret＠host", "nats：//ann:[redacted]@host")]
    [InlineData("nats://ann:s3cret＠host", "nats://ann:[redacted]@host")]
    [InlineData("Host=db;Username=a;Password=b c;Database=d", "Host=db;Username=a;Password=[redacted] c;Database=d")]
    [InlineData("got eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl back", "got [redacted] back")]
    [InlineData("DD-API-KEY: x", "DD-API-KEY: [redacted]")]
    public void WhatOpensSomethingIsTakenOut(string text, string without) => Filter.Filter(text).ShouldBe(without);

    [Theory]
    [InlineData("bearer authentication is required")]
    [InlineData("the token is missing")]
    [InlineData("no API key is set")]
    [InlineData("see https://docs.datadoghq.com/api/?x=1#key for more")]
    [InlineData("the key is valid on datadoghq.eu; the site is set to datadoghq.com")]
    [InlineData("a password was refused")]
    [InlineData("10:24:07 keyboard: on")]
    public void WordsAboutSecretsStay(string text) => Filter.Filter(text).ShouldBeSameAs(text);

    [Fact]
    public void TheKeyInUseIsTakenOutWhereverItStands() =>
        Filter.Filter($"x{Secret.ApiKey.ToUpperInvariant()}y").ShouldBe("x[redacted]y");

    [Theory]
    [InlineData("password", true)]
    [InlineData("db.password", true)]
    [InlineData("ApiKey", true)]
    [InlineData("http.request.header.authorization", true)]
    [InlineData("DD_APP_KEY", true)]
    [InlineData("passwordAge", false)]
    [InlineData("key", false)]
    [InlineData("HasKey", false)]
    [InlineData("user", false)]
    public void ANameSaysWhetherItsValueIsSecret(string name, bool isSecret) =>
        SecretFilter.IsSecret(name).ShouldBe(isSecret);

    public static TheoryData<string> Endless =>
        [
            new string('a', 1_000_000) + "token",
            string.Concat(Enumerable.Repeat("eyJaaaaaaaa-", 80_000)),
            string.Concat(Enumerable.Repeat("a.", 500_000)) + "://",
            "password" + new string(' ', 1_000_000),
            "Bearer " + new string('x', 1_000_000),
            string.Concat(Enumerable.Repeat("secret-", 150_000)),
            "token=\"" + new string('x', 1_000_000),
        ];

    [Theory]
    [MemberData(nameof(Endless))]
    public void NoTextTakesMuchLongerThanItsLengthIsWorth(string text)
    {
        var began = Stopwatch.GetTimestamp();
        Filter.Filter(text);
        Stopwatch.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(30));
    }
}
