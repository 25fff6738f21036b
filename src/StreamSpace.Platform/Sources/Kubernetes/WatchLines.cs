using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>Reads a watch line by line, each of a bounded length, whatever the pieces it arrives in.</summary>
internal static class WatchLines
{
    // etcd takes 1.5 MiB by default, and an operator may raise it.
    private const int LongestLine = 16 * 1024 * 1024;

    /// <summary>Yields lines until the far end closes the watch.</summary>
    /// <exception cref="JsonException">A line is no JSON, or too long.</exception>
    public static async IAsyncEnumerable<WatchLine> ReadAsync(
        Stream stream,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var reader = PipeReader.Create(stream);
        try
        {
            while (true)
            {
                var read = await reader.ReadAsync(cancellationToken);
                var rest = read.Buffer;
                while (rest.PositionOf((byte)'\n') is { } end)
                {
                    if (Read(rest.Slice(0, end)) is { } line)
                    {
                        yield return line;
                    }
                    rest = rest.Slice(rest.GetPosition(1, end));
                }
                if (rest.Length > LongestLine)
                {
                    throw new JsonException("A line of the watch is too long.");
                }
                reader.AdvanceTo(rest.Start, rest.End);
                if (read.IsCompleted)
                {
                    yield break;
                }
            }
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    private static WatchLine? Read(ReadOnlySequence<byte> line)
    {
        if (line.Length <= 1)
        {
            return null;
        }
        var json = new Utf8JsonReader(line);
        return
            JsonSerializer.Deserialize(ref json, KubernetesJson.Default.WatchLine)
                is { Object.ValueKind: JsonValueKind.Object } read
            ? read
            : throw new JsonException("A line of the watch holds no resource.");
    }
}
