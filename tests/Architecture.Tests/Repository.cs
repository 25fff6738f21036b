namespace Architecture.Tests;

/// <summary>The files of this repository, as they lie in its folder.</summary>
internal static class Repository
{
    private static readonly string[] Unread = ["bin", "obj", "node_modules", "TestResults"];

    public static string Root { get; } = FindRoot();

    /// <summary>The files that somebody wrote, by how their names end (<c>.cs</c>).</summary>
    public static IEnumerable<string> Files(params string[] endings) =>
        Files(new DirectoryInfo(Root)).Where(path => endings.Contains(Path.GetExtension(path)));

    /// <summary>The path from <see cref="Root"/>.</summary>
    public static string Shown(string path) => Path.GetRelativePath(Root, path);

    private static IEnumerable<string> Files(DirectoryInfo folder) =>
        folder
            .GetFiles()
            .Select(file => file.FullName)
            .Concat(
                folder
                    .GetDirectories()
                    .Where(inner => !inner.Name.StartsWith('.') && !Unread.Contains(inner.Name))
                    .SelectMany(Files)
            );

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "StreamSpace.Datadog.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests lie outside the repository.");
        }
        return folder.FullName;
    }
}
