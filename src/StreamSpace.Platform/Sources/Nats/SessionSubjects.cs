namespace StreamSpace.Platform.Sources.Nats;

/// <summary>
/// The generic subjects. What the API publishes comes a second time on <c>….{platform}</c>, which nobody needs to
/// hear (docs/reference/streamspace.md §4.1, §2.2).
/// </summary>
internal static class SessionSubjects
{
    public const string Create = "streamspace.session.create";
    public const string Delete = "streamspace.session.delete";
    public const string Hibernate = "streamspace.session.hibernate";
    public const string Wake = "streamspace.session.wake";
    public const string Status = "streamspace.session.status";

    public static readonly IReadOnlyList<string> All = [Create, Delete, Hibernate, Wake, Status];
}
