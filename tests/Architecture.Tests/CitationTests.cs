using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Architecture.Tests;

/// <summary>Whoever reads a comment or a document finds what it cites in this repository.</summary>
public sealed partial class CitationTests
{
    private static readonly IReadOnlyList<(string Path, string Text)> Texts =
    [
        .. Repository
            .Files(".md", ".cs", ".proto", ".razor", ".js", ".sh", ".yaml")
            .Select(path => (path, Readable(path))),
    ];

    [Fact]
    public void EveryDocumentThatIsNamedIsThere() =>
        Texts
            .SelectMany(text =>
                Document()
                    .Matches(text.Text)
                    .Where(name => Find(text.Path, name.Value) is null)
                    .Select(name => $"{Repository.Shown(text.Path)} names {name.Value}")
            )
            .ShouldBeEmpty();

    [Fact]
    public void EveryLinkOfADocumentLeadsToAFileOrAFolder() =>
        Texts
            .Where(text => IsDocument(text.Path))
            .SelectMany(text =>
                Link()
                    .Matches(text.Text)
                    .Select(link => link.Groups["to"].Value)
                    .Where(to => !Path.Exists(Path.Combine(Path.GetDirectoryName(text.Path)!, to)))
                    .Select(to => $"{Repository.Shown(text.Path)} links to {to}")
            )
            .ShouldBeEmpty();

    /// <summary>A section belongs to the document that was named last; in a document it is the document's own.</summary>
    [Fact]
    public void EverySectionThatIsCitedIsInItsDocument() => Texts.SelectMany(LostSections).ShouldBeEmpty();

    [Fact]
    public void CommentsAreRead()
    {
        Texts.Count(text => text.Text.Contains('§', StringComparison.Ordinal)).ShouldBeGreaterThan(20);
        Comments("a();  // see README.md", "//").ShouldBe(" see README.md");
        Comments("var at = \"http://y.md\";\n/// <c>README.md</c>", "//").ShouldBe(" <c>README.md</c>");
    }

    private static IEnumerable<string> LostSections((string Path, string Text) text)
    {
        var document = IsDocument(text.Path) ? text.Path : null;
        foreach (Match cited in Citation().Matches(text.Text))
        {
            if (cited.Groups["document"] is { Success: true, Value: var name })
            {
                document = Find(text.Path, name);
            }
            else if (cited.Groups["section"] is { Success: true, Value: var section })
            {
                var heading = new Regex($@"^#+ {Regex.Escape(section)} ", RegexOptions.Multiline);
                if (document is null || !heading.IsMatch(File.ReadAllText(document)))
                {
                    yield return $"{Repository.Shown(text.Path)} cites §{section} of {(document is null ? "nothing" : Repository.Shown(document))}";
                }
            }
        }
    }

    // Beside whoever names it, or counted from the root.
    private static string? Find(string citing, string name) =>
        new[] { Path.GetDirectoryName(citing)!, Repository.Root }
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    private static string Readable(string path) =>
        Path.GetExtension(path) switch
        {
            ".md" => File.ReadAllText(path),
            ".sh" or ".yaml" => Comments(File.ReadAllText(path), "#"),
            _ => Comments(File.ReadAllText(path), "//"),
        };

    // What follows a mark at the beginning of a word: the slashes of an address are none.
    private static string Comments(string text, string mark) =>
        string.Join(
            '\n',
            Regex
                .Matches(text, $@"(?:^|\s){mark}+(?<said>.*)$", RegexOptions.Multiline)
                .Select(m => m.Groups["said"].Value)
        );

    private static bool IsDocument(string path) => Path.GetExtension(path) is ".md";

    // Not the end of an address.
    [GeneratedRegex(@"(?<![\w/.:-])(?:\.{1,2}/)*[\w.-]+(?:/[\w.-]+)*\.md\b")]
    private static partial Regex Document();

    [GeneratedRegex(@"\]\((?!https?:|#)(?<to>[^)#\s]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();

    // A section of an RFC is nobody else's.
    [GeneratedRegex(
        @"RFC \d+,?\s+§[\d.]*\d|(?<document>(?<![\w/.:-])(?:\.{1,2}/)*[\w.-]+(?:/[\w.-]+)*\.md\b)|§(?<section>\d+(?:\.\d+)*)"
    )]
    private static partial Regex Citation();
}
