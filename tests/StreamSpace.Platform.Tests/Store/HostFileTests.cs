using Microsoft.Data.Sqlite;
using Shouldly;
using StreamSpace.Platform.Store;
using Xunit;

namespace StreamSpace.Platform.Tests.Store;

/// <summary>The file that the host's stores share, taken away from under them.</summary>
public sealed class HostFileTests : IDisposable
{
    private readonly string _path = Path.Combine(TestRun.NewFolder(), "host.db");
    private readonly HostFile _file;
    private readonly HostConnection _one;
    private readonly HostConnection _other;

    public HostFileTests()
    {
        _file = new HostFile(_path, TimeProvider.System);
        _one = _file.Connect();
        _other = _file.Connect();
        _one.Write(connection => Run(connection, "CREATE TABLE kept (n INTEGER)"));
    }

    public void Dispose()
    {
        _one.Dispose();
        _other.Dispose();
    }

    [Theory]
    [InlineData("")]
    [InlineData("-wal")]
    [InlineData("-shm")]
    [InlineData("", "-wal", "-shm")]
    public void WhatWasTakenAwayIsWrittenAnewWithWhatEitherStoreHadWritten(params string[] companions)
    {
        Keep(_one, 1);
        Keep(_other, 2);
        foreach (var companion in companions)
        {
            File.Delete(_path + companion);
        }

        Keep(_other, 3);
        Keep(_one, 4);

        _file.Warning.ShouldNotBeNull().ShouldContain($"host.db{companions[0]} was removed or renamed");
        foreach (var connection in (HostConnection[])[_one, _other])
        {
            connection.Read(Sum).ShouldBe(10);
        }
        using var beside = new SqliteConnection($"Data Source={_path};Pooling=False");
        beside.Open();
        Sum(beside).ShouldBe(10);
    }

    [Fact]
    public void NothingIsWrittenWhileAnothersFileHasTheName()
    {
        Keep(_one, 1);
        File.Delete(_path);
        File.WriteAllText(_path, "another's");

        Should
            .Throw<SqliteException>(() => Keep(_one, 2))
            .Message.ShouldContain("host.db was replaced by another file");
        Should.Throw<SqliteException>(() => _file.Stand());
        File.ReadAllText(_path).ShouldBe("another's");

        File.Delete(_path);
        Keep(_other, 3);
        _one.Read(Sum).ShouldBe(4);
    }

    [Fact]
    public void WithItsFolderGoneNothingIsWrittenUntilThereIsOneAgain()
    {
        Keep(_one, 1);
        var folder = Path.GetDirectoryName(_path)!;
        Directory.Delete(folder, recursive: true);

        Should.Throw<SqliteException>(() => Keep(_one, 2)).Message.ShouldNotContain(folder);

        Directory.CreateDirectory(folder);
        _file.Stand();
        Keep(_other, 3);
        _one.Read(Sum).ShouldBe(4);
    }

    private static void Keep(HostConnection connection, int n) =>
        connection.Write(c => Run(c, $"INSERT INTO kept VALUES ({n})"));

    private static long Sum(SqliteConnection connection)
    {
        using var command = new SqliteCommand("SELECT sum(n) FROM kept", connection);
        return (long)command.ExecuteScalar()!;
    }

    private static bool Run(SqliteConnection connection, string sql)
    {
        using var command = new SqliteCommand(sql, connection);
        command.ExecuteNonQuery();
        return true;
    }
}
