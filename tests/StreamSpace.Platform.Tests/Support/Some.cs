using StreamSpace.Platform.Sources;
using StreamSpace.Platform.Store;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Tests.Support;

/// <summary>Makes what tests need, with times in seconds from a fixed morning.</summary>
internal static class Some
{
    public static readonly DateTimeOffset Morning = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    public static DateTimeOffset At(double second) => Morning.AddSeconds(second);

    public static PlatformUser User(string name) => new(name, name);

    public static CreateRequested Create(string id, double at, string user = "ada", string template = "chrome") =>
        new(id, At(at))
        {
            User = User(user),
            Template = template,
            Platform = "kubernetes",
        };

    public static DeleteRequested Delete(string id, double at, string user = "ada") =>
        new(id, At(at)) { User = User(user), Platform = "kubernetes" };

    public static HibernateRequested Hibernate(string id, double at, string user = "ada") =>
        new(id, At(at)) { User = User(user) };

    public static WakeRequested Wake(string id, double at, string user = "ada") =>
        new(id, At(at)) { User = User(user) };

    public static StatusReported Running(string id, double at) => new(id, At(at), ReportedStatus.Running);

    public static StatusReported Hibernated(string id, double at) => new(id, At(at), ReportedStatus.Hibernated);

    public static StatusReported Failed(string id, double at, string? why = null) =>
        new(id, At(at), ReportedStatus.Failed, why);

    /// <summary>What one transaction of a store keeps.</summary>
    public static PlatformChange Change(
        RegistryChange? registry = null,
        IReadOnlyDictionary<string, string>? checkpoints = null,
        IReadOnlyDictionary<string, long?>? cursors = null,
        double at = 0,
        params PlatformFact[] facts
    ) =>
        new(
            registry ?? RegistryChange.None,
            checkpoints ?? new Dictionary<string, string>(),
            facts,
            cursors ?? new Dictionary<string, long?>(),
            At(at)
        );

    public static StatusReported Ended(string id, double at) => new(id, At(at), ReportedStatus.Ended);
}
