using System.Net;
using Microsoft.Extensions.Logging;
using Shouldly;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>
/// All that the tests give away is searched for the secrets that they know; this is about the search itself, with a
/// secret that they do not know.
/// </summary>
public sealed class SecretSearchTests
{
    private const string Planted = "planted-so-that-it-is-found";

    private readonly SecretSearch _search = new(Planted);

    [Fact]
    public void ItFindsWhatAnExceptionSaysThatNobodySees()
    {
        using (new Ear(_search.LookAt).Open())
        {
            Swallow(new InvalidOperationException("all is well"));
            _search.Found.ShouldBeEmpty();
            Swallow(new InvalidOperationException($"Password={Planted}"));
            Swallow(new InvalidOperationException("look within", new AggregateException(new IOException(Planted))));
            Swallow(new InvalidOperationException("look beside") { Data = { ["detail"] = Planted } });
        }
        Swallow(new InvalidOperationException(Planted));

        _search.Found.Count.ShouldBe(3);
        _search.Found.ShouldAllBe(f => f.StartsWith("In an exception: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ItFindsWhatAUrlSays()
    {
        using var ear = new Ear(_search.LookAt).Open();
        using var client = new HttpClient();
        foreach (var url in (string[])["http://127.0.0.1:1/", $"http://127.0.0.1:1/?api_key={Planted}"])
        {
            _search.Found.ShouldBeEmpty();
            await Should.ThrowAsync<HttpRequestException>(() =>
                client.GetAsync(new Uri(url), TestContext.Current.CancellationToken)
            );
        }
        _search.Found.ShouldHaveSingleItem().ShouldStartWith("In a URL: http");
    }

    [Fact]
    public async Task ItFindsWhatAnAnswerSaysInItsBodyAndItsHeaders()
    {
        var answers = new Queue<HttpResponseMessage>([
            new(HttpStatusCode.OK) { Content = new StringContent("well") },
            new(HttpStatusCode.OK) { Content = new StringContent($"no key {Planted.ToUpperInvariant()}") },
            new(HttpStatusCode.Found) { Headers = { Location = new Uri($"http://127.0.0.1/{Planted}") } },
        ]);
        using var client = new HttpClient(_search.LookingAt(new Scripted(answers)));
        foreach (var found in (int[])[0, 1, 2])
        {
            using var answer = await client.GetAsync(
                new Uri("http://127.0.0.1/"),
                TestContext.Current.CancellationToken
            );
            _search.Found.Count.ShouldBe(found);
        }
    }

    [Fact]
    public void ItFindsWhatALogSays()
    {
        var log = new SearchedLog(_search);
        log.LogInformation("the reader's DB_PASSWORD is set");
        _search.Found.ShouldBeEmpty();
        log.LogInformation("connecting with {Password}", Planted);
        log.LogError(new IOException(Planted), "lost");
        _search.Found.Count.ShouldBe(2);
    }

    [Fact]
    public void ItFindsWhatAFileSaysAmongBytesOfAnyKind()
    {
        var folder = TestRun.NewFolder();
        Directory.CreateDirectory(Path.Combine(folder, "below"));
        File.WriteAllText(Path.Combine(folder, "a"), "nothing");
        File.WriteAllBytes(
            Path.Combine(folder, "below", "b"),
            [0, 255, .. "x"u8, .. System.Text.Encoding.ASCII.GetBytes(Planted), 0]
        );
        _search.LookAtFolder(folder);
        _search.Found.ShouldHaveSingleItem().ShouldStartWith($"In {folder}/below/b: ");
    }

    [Fact]
    public void ItTakesForASecretWhatAVariableOrAConfigCallsOne()
    {
        _search.Add(new Dictionary<string, string> { ["DB_PASSWORD"] = "of-a-variable", ["DB_USER"] = "observer" });
        _search.AddFrom("""{"apiKey": "of-a-config", "site": "datadoghq.com"}""");
        _search.LookAt("a line", "observer at datadoghq.com");
        _search.Found.ShouldBeEmpty();
        _search.LookAt("a line", "of-a-variable");
        _search.LookAt("a line", "of-a-config");
        _search.Found.Count.ShouldBe(2);
    }

    [Fact]
    public async Task ItHearsInARealProcessWhatIsThrownAndSwallowedThereAndWhereItAsks()
    {
        var data = Path.Combine(TestRun.NewFolder(), "data");
        await using var host = await HostProcess.ServeAsync(data);
        var address = new Uri(host.Output.Single(l => l.StartsWith("Serving on ", StringComparison.Ordinal))[11..]);
        using var client = TestRun.NewClient(address);
        client.DefaultRequestHeaders.Authorization = new("Bearer", await HostProcess.TokenAsync(data));

        using var body = new StringContent(Planted);
        using var answer = await client.PostAsync(
            "api/plugins/echo/swallow",
            body,
            TestContext.Current.CancellationToken
        );

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var heard = await File.ReadAllLinesAsync(host.Heard, TestContext.Current.CancellationToken);
        heard.ShouldContain($"an exception: {typeof(InvalidOperationException)}: {Planted}");
        heard.ShouldContain(l => l.StartsWith("a URL: ", StringComparison.Ordinal) && l.Contains($"?{Planted}"));
    }

    private static void Swallow(Exception exception)
    {
        try
        {
            throw exception;
        }
        catch (InvalidOperationException)
        {
            // Nobody sees it.
        }
    }

    private sealed class Scripted(Queue<HttpResponseMessage> answers) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        ) => Task.FromResult(answers.Dequeue());
    }
}
