using System.Text.Json;
using AgentlessDatadog.Sandbox.Store;

namespace AgentlessDatadog.Sandbox.Routes;

/// <summary>One log as a search of logs answers it.</summary>
internal static class LogEntryJson
{
    public static void Write(Utf8JsonWriter json, StoredLog log)
    {
        json.WriteString("id", FoundJson.IdOf(log));
        json.WriteString("type", "log");
        json.WriteStartObject("attributes");
        json.WriteStartObject("attributes");
        foreach (var attribute in log.Entry.EnumerateObject())
        {
            if (!LogFields.IsReserved(attribute.Name))
            {
                attribute.WriteTo(json);
            }
        }
        json.WriteEndObject();
        json.WriteString("host", log.Host);
        json.WriteString("message", log.Message);
        json.WriteString("service", log.Service);
        json.WriteString("status", log.Status);
        json.WriteStrings("tags", log.Tags);
        json.WriteString("timestamp", FoundJson.TimeOf(log.Time));
        json.WriteEndObject();
    }
}
