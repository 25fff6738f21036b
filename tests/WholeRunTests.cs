using Secrets;
using Shouldly;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(WholeRunTests.Order))]

namespace Secrets;

/// <summary>In every test project, after all its other tests: about what they have given away.</summary>
[CollectionDefinition(nameof(WholeRunTests), DisableParallelization = true)]
[Collection(nameof(WholeRunTests))]
public sealed class WholeRunTests
{
    [Fact]
    public void NothingThatWasLoggedAnsweredThrownStoredOrAskedForInThisRunHoldsASecret() =>
        TestRun.SecretsFound().ShouldBeEmpty();

    /// <summary>What runs alone runs after what runs side by side; among that, this is the last.</summary>
    public sealed class Order : ITestCollectionOrderer
    {
        /// <inheritdoc/>
        public IReadOnlyCollection<T> OrderTestCollections<T>(IReadOnlyCollection<T> testCollections)
            where T : ITestCollection =>
            [.. testCollections.OrderBy(c => c.TestCollectionDisplayName == nameof(WholeRunTests))];
    }
}
