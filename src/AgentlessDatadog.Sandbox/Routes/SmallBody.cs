using System.Text.Json;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Bodies of requests that configure something: plain JSON, small.</summary>
internal static class SmallBody
{
    /// <exception cref="ApiError">
    /// 415 unless declared as application/json, which a foreign web page cannot send unasked; 413; 400.
    /// </exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, int maxBytes, Func<JsonElement, T> read)
    {
        var route = new IntakeRoute(context.Request.Path, ["application/json"], [], maxBytes, maxBytes);
        using var body = await IncomingBody.ReadAsync(context, route);
        body.Unpack(context.Features.Get<RequestRecord>());
        return JsonShape.Read(body.Memory, read);
    }
}
