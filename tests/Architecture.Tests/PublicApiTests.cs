using System.Reflection;
using PublicApiGenerator;
using Shouldly;
using Xunit;

namespace Architecture.Tests;

/// <summary>What others build on does not change by accident.</summary>
public sealed class PublicApiTests
{
    [Fact]
    public void ThePublicApiOfTheLibraryIsWhatItsPinnedFileSays()
    {
        var api = Assembly
            .Load("AgentlessDatadog")
            .GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false })
            .ReplaceLineEndings("\n");
        var pinned = Path.Combine(Repository.Root, "src", "AgentlessDatadog", "PublicApi.txt");
        // For whoever means the change.
        var found = Path.Combine(AppContext.BaseDirectory, "PublicApi.txt");
        File.WriteAllText(found, api);

        api.ShouldBe(File.ReadAllText(pinned), $"where that is meant: cp {found} {pinned}");
    }
}
