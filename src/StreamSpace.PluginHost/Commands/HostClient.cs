using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.SignIn;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Commands;

/// <summary>
/// Asks the host that runs on a data folder, where that says it serves, with a token that it makes of the folder's secret:
/// whoever may read that may ask.
/// </summary>
internal sealed class HostClient : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    // Of a token that is used at once.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private readonly AccessTokens _tokens;
    private readonly TimeProvider _clock;

    // On this machine, whatever proxy the environment names.
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });

    private HostClient(Uri address, AccessTokens tokens, TimeProvider clock)
    {
        (_http.BaseAddress, _tokens, _clock) = (address, tokens, clock);
    }

    /// <exception cref="StartupException">No host runs on the folder, or this user may not ask it.</exception>
    public static HostClient Of(string dataFolder, TimeProvider clock)
    {
        var address = DataFolder.AddressOf(dataFolder);
        return new HostClient(address, AccessTokens.OfFolder(dataFolder, clock), clock);
    }

    /// <summary>What it answers to one who may look at everything.</summary>
    /// <param name="path">Below its address.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="StartupException">It answers something else, or nothing.</exception>
    public Task<JsonObject> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, Roles.Viewer, cancellationToken);

    /// <summary>What it answers to one who may change something.</summary>
    /// <param name="path">Below its address.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="body">What it is told; null for nothing.</param>
    /// <exception cref="StartupException">It answers something else, or nothing.</exception>
    public Task<JsonObject> PostAsync(string path, CancellationToken cancellationToken, JsonObject? body = null) =>
        SendAsync(HttpMethod.Post, path, Roles.Operator, cancellationToken, body);

    public void Dispose() => _http.Dispose();

    private async Task<JsonObject> SendAsync(
        HttpMethod method,
        string path,
        string role,
        CancellationToken cancellationToken,
        JsonObject? body = null
    )
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = body is null ? null : new StringContent(body.ToJsonString(), null, "application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _tokens.Issue(role, Lifetime));
        using var patience = new CancellationTokenSource(Timeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            using var answer = await _http.SendAsync(request, either.Token);
            var text = await answer.Content.ReadAsStringAsync(either.Token);
            return answer.StatusCode is HttpStatusCode.OK && JsonNode.Parse(text) is JsonObject document
                ? document
                : throw new StartupException($"The host at {_http.BaseAddress} answered: {Detail(text, answer)}");
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            throw new StartupException(
                $"The host at {_http.BaseAddress} does not answer within {Timeout.TotalSeconds:0} s: look at its log, or restart it."
            );
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            throw new StartupException(
                $"The host at {_http.BaseAddress} cannot be asked: {SafeErrorText.First(e).TrimEnd('.')}. Look at its log, or restart it.",
                e
            );
        }
    }

    private static string Detail(string text, HttpResponseMessage answer)
    {
        try
        {
            return (string?)JsonNode.Parse(text)?["detail"] ?? $"{(int)answer.StatusCode}.";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return $"{(int)answer.StatusCode}.";
        }
    }
}
