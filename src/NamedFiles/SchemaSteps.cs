namespace NamedFiles;

/// <summary>
/// How tables in a SQLite file come to be as a program knows them. Step n takes them from version n to n + 1, and before the
/// first there are none; so a step is never changed once it has been released.
/// </summary>
internal sealed class SchemaSteps(IReadOnlyList<string> steps)
{
    /// <summary>The version that the last step leads to.</summary>
    public int Version => steps.Count;

    /// <summary>What is still to be done to tables of a version: all of it in one transaction, or nothing.</summary>
    /// <param name="version">What the file says; 0 when it says nothing yet.</param>
    /// <param name="path">The file, to name it.</param>
    /// <exception cref="NotSupportedException">A newer version of the program has written it.</exception>
    public IEnumerable<string> From(long version, string path) =>
        version <= steps.Count
            ? steps.Skip((int)version)
            : throw new NotSupportedException(
                $"{path} was written by a newer version of this program (its schema is {version}, this program knows {steps.Count}). "
                    + "Start that version again, or move the file away to begin a new one."
            );
}
