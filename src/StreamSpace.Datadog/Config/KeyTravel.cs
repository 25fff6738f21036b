using AgentlessDatadog;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Config;

/// <summary>
/// A key goes only where it came with. StreamSpace lets everyone who is signed in write our row, so a place that is named
/// there, or by a call that need not know the key, must not be given a key from elsewhere. Datadog's own hosts apart, a
/// place is used when the environment names it, or when every key that would travel comes from where it comes from.
/// </summary>
internal sealed class KeyTravel(
    IReadOnlyList<(string Name, SettingOrigin Origin)> keys,
    Func<SettingOrigin, string> said,
    ValueRules rules
)
{
    /// <summary>
    /// The first of <paramref name="places"/>, which go from the topmost layer down, that may meet the keys; each that may
    /// not is named in a warning.
    /// </summary>
    public (Uri Address, SettingOrigin Origin)? Permitted(
        string name,
        IEnumerable<(Uri Address, SettingOrigin Origin)> places
    )
    {
        foreach (var (address, origin) in places)
        {
            // No application key is needed for traces, so none goes there.
            var strays = keys.Where(key => key.Origin != origin && (name != "tracesEndpoint" || key.Name == "apiKey"))
                .ToList();
            // What a proxy is given is not for Datadog alone, even when it bears its name.
            if (strays.Count == 0 || origin is SettingOrigin.Environment || (name != "proxy" && Sites.Owns(address)))
            {
                return (address, origin);
            }
            rules.Warn(
                name,
                $"{name} (from {said(origin)}) is not applied: {string.Join(" and ", strays.Select(k => $"{k.Name} (from {said(k.Origin)})"))} "
                    + "would go to a place that did not come with it.",
                name switch
                {
                    "proxy" => "Set DD_PROXY_HTTPS in the environment, or give the keys together with proxy.",
                    "tracesEndpoint" =>
                        "Set OTEL_EXPORTER_OTLP_TRACES_ENDPOINT in the environment, or give apiKey together with it.",
                    _ => "Set DD_DD_URL in the environment, or give the keys together with intakeUrl.",
                }
            );
        }
        return null;
    }
}
