using Microsoft.Extensions.Time.Testing;
using Shouldly;
using StreamSpace.PluginHost.Data;
using StreamSpace.PluginHost.Startup;
using StreamSpace.PluginHost.Tests.Support;

namespace StreamSpace.PluginHost.Tests;

public sealed class DataFolderTests
{
    [Fact]
    public async Task AFolderThatStaysInUseIsGivenUpAfterTenSecondsWithASentence()
    {
        var path = Path.Combine(TestRun.NewFolder(), "data");
        var clock = new FakeTimeProvider();
        var console = new StringWriter();
        using var first = await TakeAsync();
        var second = TakeAsync();
        (await clock.AdvanceUntilAsync(second)).ShouldBeInRange(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(12));
        var error = await second.ShouldThrowAsync<StartupException>();
        error.Message.ShouldContain($"{path} is in use by another process");
        console.ToString().ShouldContain("waiting up to 10 seconds");

        Task<DataFolder> TakeAsync() =>
            DataFolder.TakeAsync(
                path,
                new StartupConsole(console, clock),
                clock,
                TestContext.Current.CancellationToken
            );
    }

    [Fact]
    public async Task ALockThatIsRemovedIsMadeAnewUnlessAnotherProcessWasFaster()
    {
        var path = Path.Combine(TestRun.NewFolder(), "data");
        var clock = new FakeTimeProvider();
        using var first = await TakeAsync();
        File.Delete(Path.Combine(path, "lock"));
        first.Stand().ShouldNotBeNull().ShouldContain("lock of the data folder was removed");
        first.Stand().ShouldBeNull();
        var second = TakeAsync();
        await clock.AdvanceUntilAsync(second);
        await second.ShouldThrowAsync<StartupException>();

        File.Delete(Path.Combine(path, "lock"));
        using var third = await TakeAsync();
        first.Taken().ShouldNotBeNull().ShouldContain("stop one of the two");
        third.Taken().ShouldBeNull();

        Task<DataFolder> TakeAsync() =>
            DataFolder.TakeAsync(
                path,
                new StartupConsole(TextWriter.Null, clock),
                clock,
                TestContext.Current.CancellationToken
            );
    }

    [Fact]
    public void AFileOfANewerVersionIsLeftAlone()
    {
        var folder = TestRun.NewFolder();
        var file = Path.Combine(folder, "host.db");
        var keys = new KeyRing(Path.Combine(folder, "keys"));
        new HostStore(file, keys, TimeProvider.System).Dispose();
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={file};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE host_schema SET version = 99";
            command.ExecuteNonQuery();
        }
        Should
            .Throw<StartupException>(() => new HostStore(file, keys, TimeProvider.System))
            .Message.ShouldContain("newer version");
    }

    [Fact]
    public void AFileThatIsNoDatabaseIsNamed()
    {
        var folder = TestRun.NewFolder();
        var file = Path.Combine(folder, "host.db");
        File.WriteAllText(file, new string('x', 4096));
        Should
            .Throw<StartupException>(() =>
                new HostStore(file, new KeyRing(Path.Combine(folder, "keys")), TimeProvider.System)
            )
            .Message.ShouldContain(file);
    }

    [Fact]
    public async Task AStepThatTakesLongSaysSo()
    {
        var clock = new FakeTimeProvider();
        var console = new StringWriter();
        var end = new TaskCompletionSource();
        var step = new StartupConsole(console, clock).StepAsync("loading something", () => end.Task);
        clock.Advance(TimeSpan.FromSeconds(1.9));
        console.ToString().ShouldBeEmpty();
        clock.Advance(TimeSpan.FromSeconds(0.1));
        console.ToString().ShouldContain("Still loading something");
        end.SetResult();
        await step;
    }
}
