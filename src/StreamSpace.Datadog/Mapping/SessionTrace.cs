using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using StreamSpace.Plugins;

namespace StreamSpace.Datadog.Mapping;

/// <summary>
/// The ids of one of a session's traces. They follow from the life and from what the trace is about, so that the same facts
/// always make the same ids. The upper half of a trace's id is 0: so it reads the same in Datadog's decimal form and in
/// OpenTelemetry's.
/// </summary>
/// <param name="TraceId">Of the trace.</param>
/// <param name="RootId">Of its root.</param>
internal readonly record struct SessionTrace(ulong TraceId, ulong RootId)
{
    /// <summary>The first trace of a life, its start, to which all others link.</summary>
    public static SessionTrace Start(Session session) => Of($"{session.LifeId}/start");

    /// <summary>A later trace of a life, told from others of its name by when it begins.</summary>
    public static SessionTrace Of(Session session, string name, DateTimeOffset begin) =>
        Of($"{session.LifeId}/{name}/{begin.UtcDateTime:O}");

    /// <summary>The id of a span below the root.</summary>
    public ulong ChildId(int index) => Of($"{TraceId}/{RootId}/{index}").RootId;

    /// <summary>Whether the traces of a life are among the share that is sent: the same at every asking.</summary>
    public static bool IsSampled(Session session, double rate) =>
        rate >= 1 || Of($"{session.LifeId}/sample").TraceId < rate * ulong.MaxValue;

    private static SessionTrace Of(string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        // No id is 0.
        return new SessionTrace(
            BinaryPrimitives.ReadUInt64BigEndian(hash) | 1,
            BinaryPrimitives.ReadUInt64BigEndian(hash[sizeof(ulong)..]) | 1
        );
    }
}
