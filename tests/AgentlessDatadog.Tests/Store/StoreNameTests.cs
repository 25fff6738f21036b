using AgentlessDatadog.Store;
using AgentlessDatadog.Store.Sqlite;
using AgentlessDatadog.Tests.Support;
using Shouldly;
using Xunit;

namespace AgentlessDatadog.Tests.Store;

/// <summary>On disk means under a name: files that are taken away from under an open store.</summary>
public sealed class StoreNameTests : IDisposable
{
    private readonly StoreFolder _folder = new(onDisk: true);

    public static TheoryData<string> Losses => ["the file", "its log", "both", "renamed", "the folder's contents"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Losses))]
    public async Task WhatIsTakenAwayIsWrittenAnewWithAllThatWasInItBeforeTheNextAnswer(string what)
    {
        var left = _folder.NewStore();
        await left.OpenAsync(CancellationToken.None);
        await left.AppendAsync(
            Sample.JournalAppend(Sample.Entry(1, 1), [Sample.Request(1, 3000)]),
            CancellationToken.None
        );
        TakeAway(what);

        await left.AppendAsync(Sample.JournalAppend(Sample.Entry(2, 1)), CancellationToken.None);

        left.Warning.ShouldNotBeNull().ShouldContain("removed or renamed while it was in use");
        left.Warning.ShouldNotContain(Path.GetDirectoryName(_folder.File)!);
        // As a kill leaves it: the files under their names, without a clean end.
        using var copy = new StoreFolder();
        File.Copy(_folder.File, copy.File);
        File.Copy(_folder.Log, copy.Log);
        await using var next = copy.NewStore();
        var contents = await next.OpenAsync(CancellationToken.None);
        contents.Journal.Select(entry => entry.Sequence).ShouldBe([1, 2]);
        (await next.ReadAsync(1, CancellationToken.None)).ToArray().ShouldBe(Sample.Body(1, 3000));
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(_folder.File).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        await left.DisposeAsync();
        _folder.Files.ShouldNotContain(file => file.EndsWith(".copy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ACleanEndLeavesTheFileUnderItsName()
    {
        await using (var store = _folder.NewStore())
        {
            await store.OpenAsync(CancellationToken.None);
            await store.AppendAsync(Sample.JournalAppend(Sample.Entry(1, 1)), CancellationToken.None);
            TakeAway("both");
        }
        await using var next = _folder.NewStore();
        (await next.OpenAsync(CancellationToken.None)).Journal.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("")]
    [InlineData("-wal")]
    public async Task AnothersFileUnderTheNameIsNotTouchedAndNothingIsKeptUntilItIsTakenAway(string suffix)
    {
        await using var store = _folder.NewStore();
        await store.OpenAsync(CancellationToken.None);
        await store.AppendAsync(Sample.JournalAppend(Sample.Entry(1, 1)), CancellationToken.None);
        var name = _folder.File + suffix;
        File.Delete(name);
        File.WriteAllText(name, "another's");

        var error = await Should.ThrowAsync<StoreUnavailableException>(async () =>
            await store.AppendAsync(Sample.JournalAppend(Sample.Entry(2, 1)), CancellationToken.None)
        );

        error.Message.ShouldContain($"telemetry.db{suffix} was replaced by another file");
        error.Message.ShouldContain("take that one away");
        File.ReadAllText(name).ShouldBe("another's");
        File.Delete(name);
        await store.AppendAsync(Sample.JournalAppend(Sample.Entry(2, 1)), CancellationToken.None);
        await store.DisposeAsync();
        await using var next = _folder.NewStore();
        (await next.OpenAsync(CancellationToken.None)).Journal.Select(entry => entry.Sequence).ShouldBe([1, 2]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-wal")]
    public async Task AFileThatIsCutShortKeepsNothingMore(string suffix)
    {
        var store = _folder.NewStore();
        await store.OpenAsync(CancellationToken.None);
        await store.AppendAsync(Sample.JournalAppend(Sample.Entry(1, 1)), CancellationToken.None);
        using (var file = new FileStream(_folder.File + suffix, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(0);
        }

        var error = await Should.ThrowAsync<StoreUnavailableException>(async () =>
            await store.AppendAsync(Sample.JournalAppend(Sample.Entry(2, 1)), CancellationToken.None)
        );

        error.Message.ShouldContain($"telemetry.db{suffix} was cut short");
        await store.DisposeAsync();
    }

    [Fact]
    public async Task WithItsFolderGoneItKeepsNothingUntilThereIsOneAgain()
    {
        var parent = Path.Combine(Path.GetDirectoryName(_folder.File)!, "folder");
        Directory.CreateDirectory(parent);
        await using var store = new SqliteStore(Path.Combine(parent, "telemetry.db"), TimeProvider.System);
        await store.OpenAsync(CancellationToken.None);
        await store.AppendAsync(
            Sample.JournalAppend(Sample.Entry(1, 1), [Sample.Request(1, 20)]),
            CancellationToken.None
        );
        Directory.Delete(parent, recursive: true);

        var error = await Should.ThrowAsync<StoreUnavailableException>(async () =>
            await store.AppendAsync(Sample.JournalAppend(Sample.Entry(2, 1)), CancellationToken.None)
        );

        error.Message.ShouldContain("removed");
        error.Message.ShouldNotContain(parent);
        // What waits to be sent is read all the same.
        (await store.ReadAsync(1, CancellationToken.None))
            .ToArray()
            .ShouldBe(Sample.Body(1, 20));
        Directory.CreateDirectory(parent);
        await store.AppendAsync(Sample.JournalAppend(Sample.Entry(2, 1)), CancellationToken.None);
        File.Exists(Path.Combine(parent, "telemetry.db")).ShouldBeTrue();
    }

    [Fact]
    public async Task WhatHappenedIsAWarningOfThePipeline()
    {
        await using var store = _folder.NewStore();
        await using var rig = await Rig.StartAsync(store: store);
        TakeAway("both");

        await rig.Pipeline.KeepAsync([Sample.Measurement(1)], CancellationToken.None);

        rig.Pipeline.Status.Warnings.ShouldContain(warning => warning.Sentence.Contains("written anew under its name"));
        rig.Pipeline.StoreError.ShouldBeNull();
    }

    private void TakeAway(string what)
    {
        switch (what)
        {
            case "the file":
                File.Delete(_folder.File);
                break;
            case "its log":
                File.Delete(_folder.Log);
                break;
            case "renamed":
                File.Move(_folder.File, _folder.File + ".elsewhere");
                break;
            default:
                foreach (var file in _folder.Files)
                {
                    File.Delete(file);
                }

                break;
        }
    }
}
