using System.Text;

namespace Secrets;

/// <summary>Writes down what is heard in a process, each thing once, so that it is there however the process ends.</summary>
public sealed class HeardFile(string path) : IDisposable
{
    /// <summary>Bytes. Nothing that is heard beyond is kept: a file of this size says too little.</summary>
    public const int MaxBytes = 16 << 20;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _heard = new(StringComparer.Ordinal);
    private readonly FileStream _file = new(
        path,
        FileMode.Append,
        FileAccess.Write,
        FileShare.ReadWrite,
        bufferSize: 0
    );

    /// <summary>Keeps it unless it is there.</summary>
    public void Write(string place, string text)
    {
        var line = $"{place}: {text}\n";
        lock (_lock)
        {
            if (_file.Position < MaxBytes && _heard.Add(line))
            {
                _file.Write(Encoding.UTF8.GetBytes(line));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
