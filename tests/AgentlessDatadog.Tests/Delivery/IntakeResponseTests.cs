using System.Net;
using System.Text;
using AgentlessDatadog.Delivery;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Delivery;

public sealed class IntakeResponseTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Theory]
    [InlineData(200, "{}", Verdict.Delivered)]
    [InlineData(202, """{"errors":[]}""", Verdict.Delivered)]
    [InlineData(202, "", Verdict.Delivered)]
    [InlineData(202, """{"errors":["point too far"]}""", Verdict.Bad)]
    [InlineData(200, """{"errors":[{"title":"Bad Request"}]}""", Verdict.Bad)]
    [InlineData(200, """{"errors":"no"}""", Verdict.Bad)]
    [InlineData(200, """{"status":"error","error":"no"}""", Verdict.Bad)]
    [InlineData(202, """{"errors":null}""", Verdict.Delivered)]
    [InlineData(202, """{"error":false}""", Verdict.Delivered)]
    [InlineData(202, """{"error":""}""", Verdict.Delivered)]
    [InlineData(200, "<html>Sign in</html>", Verdict.NotDatadog)]
    [InlineData(302, "", Verdict.NotDatadog)]
    [InlineData(400, """{"errors":["bad"]}""", Verdict.Bad)]
    [InlineData(400, "<html></html>", Verdict.NotDatadog)]
    [InlineData(400, "", Verdict.NotDatadog)]
    [InlineData(403, "", Verdict.NotDatadog)]
    [InlineData(204, "", Verdict.Delivered)]
    [InlineData(401, """{"errors":["API key required"]}""", Verdict.Refused)]
    [InlineData(403, """{"errors":["Forbidden"]}""", Verdict.Refused)]
    [InlineData(403, "<html>Blocked</html>", Verdict.NotDatadog)]
    [InlineData(404, """{"errors":["no"]}""", Verdict.NotDatadog)]
    [InlineData(407, "", Verdict.NotDatadog)]
    [InlineData(408, "", Verdict.Wait)]
    [InlineData(413, "<html></html>", Verdict.Bad)]
    [InlineData(429, "", Verdict.Wait)]
    [InlineData(500, "<html></html>", Verdict.Wait)]
    [InlineData(503, "", Verdict.Wait)]
    public void EveryAnswerHasItsVerdict(int status, string body, Verdict verdict) =>
        Read(status, body).Verdict.ShouldBe(verdict);

    [Theory]
    [InlineData("""{"errors":["one","two"]}""", "400 Bad Request: one; two")]
    [InlineData(
        """{"errors":[{"status":"400","title":"Bad Request","detail":"too far"}]}""",
        "400 Bad Request: too far"
    )]
    [InlineData("""{"errors":[{"title":"Bad Request"}]}""", "400 Bad Request")]
    [InlineData("{}", "400 Bad Request")]
    [InlineData("[1]", "400 Bad Request")]
    public void TheServersWordsAreFoundInEitherForm(string body, string words) => Read(400, body).Error.ShouldBe(words);

    [Fact]
    public void TheServersWordsAreBounded() =>
        Read(400, $$"""{"errors":["{{new string('x', 5000)}}"]}""").Error!.Length.ShouldBeLessThan(250);

    [Theory]
    [InlineData("Retry-After", "7", 7.0)]
    [InlineData("X-RateLimit-Reset", "9", 9.0)]
    [InlineData("X-RateLimit-Reset", "0.5", 0.5)]
    [InlineData("X-RateLimit-Reset", "soon", null)]
    [InlineData("X-RateLimit-Reset", "-1", null)]
    [InlineData("X-RateLimit-Reset", "NaN", null)]
    [InlineData("X-RateLimit-Reset", "1e99", (double)int.MaxValue)]
    [InlineData("Retry-After", "99999999999", (double)int.MaxValue)]
    [InlineData("Retry-After", "2.5", 2.5)]
    [InlineData("Retry-After", "-5", null)]
    [InlineData("Retry-After", "later", null)]
    public void ARequestToWaitIsRead(string header, string value, double? seconds) =>
        (Read(429, "", header, value).AskedFor?.TotalSeconds).ShouldBe(seconds);

    [Fact]
    public void ARetryAfterMayBeADate() =>
        Read(503, "", "Retry-After", Now.AddSeconds(30).ToString("R")).AskedFor.ShouldBe(TimeSpan.FromSeconds(30));

    [Fact]
    public void ADateIsByTheClockOfWhoeverWroteIt()
    {
        using var response = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
        response.Headers.Date = Now.AddHours(-3);
        response.Headers.TryAddWithoutValidation("Retry-After", Now.AddHours(-3).AddSeconds(40).ToString("R"));
        IntakeResponse.Read(response, default, Now, text => text).AskedFor.ShouldBe(TimeSpan.FromSeconds(40));
    }

    [Fact]
    public void OfTwoRequestsToWaitTheLongerHolds()
    {
        using var response = new HttpResponseMessage(HttpStatusCode.TooManyRequests);
        response.Headers.TryAddWithoutValidation("Retry-After", "0");
        response.Headers.TryAddWithoutValidation("X-RateLimit-Reset", "50");
        IntakeResponse.Read(response, default, Now, text => text).AskedFor.ShouldBe(TimeSpan.FromSeconds(50));
    }

    [Theory]
    [InlineData(202, true)]
    [InlineData(400, false)]
    [InlineData(403, false)]
    [InlineData(429, false)]
    [InlineData(500, false)]
    [InlineData(502, true)]
    [InlineData(504, true)]
    public void AnAnswerTornOffIsWaitedForAndItsStatusSaysWhetherTheRequestMayHaveArrived(int status, bool mayHave)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)status);
        response.Headers.TryAddWithoutValidation("Retry-After", "40");
        var answer = IntakeResponse.Torn(response, "cut", Now);
        answer.ShouldBe(
            new IntakeResponse(Verdict.Wait, status, $"{status} {response.ReasonPhrase}: cut", TimeSpan.FromSeconds(40))
            {
                IsUncertain = mayHave,
            }
        );
    }

    [Theory]
    [InlineData(500, false)]
    [InlineData(502, true)]
    [InlineData(503, false)]
    [InlineData(504, true)]
    public void AGatewaysAnswerLeavesOpenWhetherTheRequestArrived(int status, bool isUncertain) =>
        Read(status, "").IsUncertain.ShouldBe(isUncertain);

    private static IntakeResponse Read(int status, string body, string? header = null, string? value = null)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)status);
        if (header is not null)
        {
            response.Headers.TryAddWithoutValidation(header, value);
        }

        response.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return IntakeResponse.Read(response, Encoding.UTF8.GetBytes(body), Now, text => text);
    }
}
