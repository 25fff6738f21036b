using EndToEnd.Support;
using Shouldly;
using Xunit;

namespace EndToEnd;

/// <summary>Every installation of this suite is searched when it ends; this is about the search itself.</summary>
public sealed class SecretSearchTests
{
    [Fact]
    public void TheSearchFindsASecretInTextAndInAFile()
    {
        var search = new SecretSearch();
        search.Add(new Dictionary<string, string> { ["DB_PASSWORD"] = "postgres-secret", ["DB_USER"] = "reader" });
        search.LookAt("a line", "the reader's DB_PASSWORD is set");
        search.Result.Found.ShouldBeEmpty();
        search.LookAt("a line", "connecting with postgres-secret");
        var folder = Directory.CreateTempSubdirectory("search-");
        File.WriteAllText(Path.Combine(folder.FullName, "file"), $"\0\u00ff{SecretSearch.ApiKey}\0");
        search.LookAtFolder(folder.FullName);
        folder.Delete(recursive: true);
        search.Result.Found.Count.ShouldBe(2);
    }
}
