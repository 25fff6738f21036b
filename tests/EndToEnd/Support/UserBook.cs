using System.Globalization;
using Npgsql;
using StreamSpace.Platform.Tests.Postgres;

namespace EndToEnd.Support;

/// <summary>
/// Users, log-ins and log-outs as the API writes them to PostgreSQL (docs/reference/streamspace.md §5.3, §5.4), with an
/// account of them by name.
/// </summary>
/// <param name="database">StreamSpace's.</param>
/// <param name="clock">The API's.</param>
public sealed class UserBook(UpstreamDatabase database, PlatformClock clock)
{
    // The platform makes an admin of its own.
    private readonly List<(string Id, string Name)> _users = [("admin", "admin")];

    /// <summary>Who there is, in the order of their making.</summary>
    public IReadOnlyList<(string Id, string Name)> Users => _users;

    /// <summary>How many were made; they are numbered from 1.</summary>
    public int Made { get; private set; }

    /// <summary>False while PostgreSQL is away: the API then answers 500, and nothing is written.</summary>
    public bool Reached { get; set; } = true;

    /// <summary>How often each was made while someone looked, or would.</summary>
    public Dictionary<string, int> Created { get; } = [];

    /// <summary>How often each logged in.</summary>
    public Dictionary<string, int> LoggedIn { get; } = [];

    /// <summary>How often each logged out. The platform does not say who: it is told by the log-in from the address.</summary>
    public Dictionary<string, int> LoggedOut { get; } = [];

    /// <summary>Log-outs of which the process that looks may not have seen the log-in.</summary>
    public int Nameless { get; private set; }

    private DateTime Wall => clock.GetUtcNow().UtcDateTime;

    /// <summary>POST /api/v1/users.</summary>
    /// <param name="counted">False before anyone is attached.</param>
    public async Task CreateAsync(bool counted = true)
    {
        if (!Reached)
        {
            return;
        }
        var number = ++Made;
        var user = (Id: $"7f{number:x2}-0000", Name: $"user{number}");
        await database.CreateUserAsync(user.Id, user.Name, Wall);
        _users.Add(user);
        if (counted)
        {
            Count(Created, user.Name);
        }
    }

    /// <summary>DELETE /api/v1/users/:id, for the first one with such a number.</summary>
    public async Task DeleteOneAsync(Func<int, bool> which)
    {
        if (Reached && Numbered(which) is [var user, ..])
        {
            await database.DeleteUserAsync(user.Id);
            _users.Remove(user);
        }
    }

    /// <summary>The users with such a number; the admin has none.</summary>
    public IReadOnlyList<(string Id, string Name)> Numbered(Func<int, bool> which) =>
        [.. _users.Skip(1).Where(u => which(int.Parse(u.Name[4..], CultureInfo.InvariantCulture)))];

    /// <summary>POST /api/v1/auth/login.</summary>
    public async Task LogInAsync((string Id, string Name) user)
    {
        if (Reached)
        {
            await database.LogInAsync(user.Id, Wall, Address(user));
            Count(LoggedIn, user.Name);
        }
    }

    /// <summary>
    /// A log-in at a replica that is slow: its row has its id at once, and is there to be seen only with the commit that
    /// is returned, behind rows of the other replica with higher ids.
    /// </summary>
    public async Task<Func<Task>> LogInSlowlyAsync((string Id, string Name) user)
    {
        var at = Wall;
        var replica = await database.OpenAsync();
        var transaction = await replica.BeginTransactionAsync();
        await AuditLogInAsync(user, replica, at);
        await database.SetLastLoginAsync(user.Id, at.AddMilliseconds(70));
        Count(LoggedIn, user.Name);
        return async () =>
        {
            await transaction.CommitAsync();
            await replica.DisposeAsync();
        };
    }

    /// <summary>A log-in whose row the crash of the server takes with it: nothing ever tells of it.</summary>
    public Task LogInUnrecordedAsync((string Id, string Name) user, NpgsqlConnection connection) =>
        AuditLogInAsync(user, connection, Wall);

    /// <summary>A wrong password: no log-in.</summary>
    public async Task FailToLogInAsync((string Id, string Name) user)
    {
        if (Reached)
        {
            await database.AuditAsync("POST", "/api/v1/auth/login", 401, Wall, address: Address(user), took: 82);
        }
    }

    /// <summary>A request under the user's name, and the log-out that names nobody.</summary>
    /// <param name="user">Who.</param>
    /// <param name="guessable">False when the process that looks may be another one since the log-in, or not have seen it yet.</param>
    public async Task LogOutAsync((string Id, string Name) user, bool guessable)
    {
        if (!Reached)
        {
            return;
        }
        await database.AuditAsync("GET", "/api/v1/sessions", 200, Wall, user.Id, Address(user));
        await database.LogOutAsync(Wall.AddMilliseconds(5), Address(user));
        Count(LoggedOut, user.Name);
        Nameless += guessable ? 0 : 1;
    }

    private static Task AuditLogInAsync((string Id, string Name) user, NpgsqlConnection replica, DateTime at) =>
        UpstreamDatabase.AuditAsync(replica, "POST", "/api/v1/auth/login", 200, at, address: Address(user), took: 82);

    private static string Address((string Id, string Name) user) => $"10.1.0.{user.Name[4..]}";

    private static void Count(Dictionary<string, int> counts, string name) =>
        counts[name] = counts.GetValueOrDefault(name) + 1;
}
