using System.Text.Json;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Bodies of requests that configure something: plain JSON, small.</summary>
internal static class SmallBody
{
    /// <exception cref="Refusal">
    /// 415 unless declared as application/json, which a foreign web page cannot send unasked; 413; 400.
    /// </exception>
    public static async Task<JsonDocument> ReadJsonAsync(HttpContext context, int maxBytes)
    {
        var route = new IntakeRoute(context.Request.Path, ["application/json"], [], maxBytes, maxBytes);
        using var body = await RequestBody.ReadAsync(context, route);
        return JsonShape.Parse(body.Span.ToArray());
    }
}
