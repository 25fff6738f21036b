using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Architecture.Tests;

/// <summary>Whoever knows a type's name finds its file: folder = namespace, and one type is in one file.</summary>
public sealed partial class RoomTests
{
    private static readonly IReadOnlyList<Source> Sources = [.. Repository.Files(".cs").Select(Read).OfType<Source>()];

    public static TheoryData<string> Projects => [.. Sources.Select(s => s.Project).Distinct().Order()];

    [Theory]
    [MemberData(nameof(Projects))]
    public void ANamespaceIsTheFolderOfItsFile(string project)
    {
        var elsewhere = Sources
            .Where(s => s.Project == project)
            .Where(s => Namespace().Match(s.Text) is { Success: true } declared && declared.Groups[1].Value != s.Room)
            .Select(s => $"{Repository.Shown(s.Path)} is not in {s.Room}");
        elsewhere.ShouldBeEmpty();
    }

    /// <summary>A part may be generated; nobody writes one to keep a file short.</summary>
    [Theory]
    [MemberData(nameof(Projects))]
    public void ATypeIsWrittenInOneFile(string project)
    {
        var parts = Sources
            .Where(s => s.Project == project)
            .SelectMany(s => Part().Matches(s.Text).Select(part => (s.Path, Type: $"{s.Room}.{part.Groups[1].Value}")))
            .GroupBy(part => part.Type, part => part.Path)
            .Where(paths => paths.Distinct().Skip(1).Any())
            .Select(paths => $"{paths.Key} is in {string.Join(", ", paths.Distinct().Select(Repository.Shown))}");
        parts.ShouldBeEmpty();
    }

    // Null for a file that projects compile which it does not lie in.
    private static Source? Read(string path)
    {
        var folder = new FileInfo(path).Directory;
        for (var inner = ""; folder is not null && folder.FullName != Repository.Root; folder = folder.Parent)
        {
            if (folder.GetFiles("*.csproj") is [{ Name: var file }])
            {
                var project = Path.GetFileNameWithoutExtension(file);
                return new Source(project, path, project + inner, File.ReadAllText(path));
            }
            inner = $".{folder.Name}{inner}";
        }
        return null;
    }

    private sealed record Source(string Project, string Path, string Room, string Text);

    [GeneratedRegex(@"^namespace ([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^[^/\n]*\bpartial (?:class|interface|struct|record(?: struct)?) (\w+)", RegexOptions.Multiline)]
    private static partial Regex Part();
}
