using System.Collections.Concurrent;

namespace AgentlessDatadog.Store;

/// <summary>How far the callers' streams are durable. Moved by the loop, read by any thread.</summary>
internal sealed class StreamPositions
{
    private readonly ConcurrentDictionary<string, long> _positions = new(StringComparer.Ordinal);

    /// <summary>Zero for a stream of which nothing is known.</summary>
    public long Of(string stream) => _positions.GetValueOrDefault(stream);

    public void Move(string stream, long position) => _positions[stream] = position;
}
