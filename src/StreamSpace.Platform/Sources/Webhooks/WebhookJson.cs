using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamSpace.Platform.Sources.Webhooks;

/// <summary>Writes an event in one form, whatever blanks it came with: the form that its id is made of.</summary>
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class WebhookJson : JsonSerializerContext;
