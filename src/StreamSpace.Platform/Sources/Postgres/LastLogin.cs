using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>That a user's last log-in was then, by the API's wall clock.</summary>
internal sealed record LastLogin(PlatformUser User, DateTime At);
