using StreamSpace.Platform.Tests.Postgres;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

/// <summary>The states of docs/status.md that StreamSpace's database brings about.</summary>
[Collection(nameof(OnPostgres))]
public sealed class VerdictOfRowsTests(OnPostgres.Fixture postgres) : VerdictTable(postgres)
{
    /// <summary>What StreamSpace's database says, and that it is away.</summary>
    public static TheoryData<string> Cases { get; } =
    [
        "switched off by StreamSpace's row",
        "row of StreamSpace's that is faulty",
        "row of StreamSpace's that has gone",
        "PostgreSQL is away",
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public Task TheHostSaysOfAStateWhatTheTableSays(string state) => SaysWhatTheTableSaysAsync(state);
}
