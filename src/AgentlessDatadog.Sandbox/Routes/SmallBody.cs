using System.Text.Json;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>Bodies of requests that configure or ask something: plain JSON, small.</summary>
internal static class SmallBody
{
    /// <summary>What it says, fit to be kept and shown again (<see cref="JsonShape.ReadToKeep"/>).</summary>
    /// <exception cref="ApiError">
    /// 415 unless declared as application/json, which a foreign web page cannot send unasked; 413; 400.
    /// </exception>
    public static async Task<JsonElement> ReadAsync(HttpContext context, int maxBytes)
    {
        var route = new IntakeRoute(context.Request.Path, ["application/json"], [], maxBytes, maxBytes);
        using var body = await IncomingBody.ReadAsync(context, route);
        body.Unpack(context.Features.Get<RequestRecord>());
        return JsonShape.ReadToKeep(body.Memory);
    }
}
