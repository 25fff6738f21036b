using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>
/// Which user accounts there are. The table is read in pages, one a poll, round and round; an account is new when
/// it was not there in an earlier round, and gone when it was missing in a whole one. What the first round finds
/// is nobody's news.
/// </summary>
/// <remarks>
/// An account is known by a key of eight bytes made of its id and creation time, so that all of them fit into a
/// checkpoint, and an id that is used again is another account.
/// </remarks>
internal sealed class UserTableScan
{
    private readonly PostgresOptions _options;
    private readonly Dictionary<ulong, PlatformUser> _known = [];
    private readonly HashSet<ulong> _inThisRound = [];
    private bool _baseline;
    private int? _total;

    /// <summary>Begins with the accounts known before, or with none known when <paramref name="keys"/> is null.</summary>
    public UserTableScan(PostgresOptions options, byte[]? keys)
    {
        _options = options;
        _baseline = keys is not null;
        for (var rest = (keys ?? []).AsSpan(); rest.Length >= sizeof(ulong); rest = rest[sizeof(ulong)..])
        {
            _known[BinaryPrimitives.ReadUInt64LittleEndian(rest)] = PlatformUser.Unknown;
        }
    }

    /// <summary>The user id after which the next page begins.</summary>
    public string After { get; private set; } = "";

    /// <summary>How many there are, once a round is complete.</summary>
    public int? Total => _total;

    /// <summary>What the constructor takes; null before the first round is complete.</summary>
    public byte[]? Keys
    {
        get
        {
            if (!_baseline)
            {
                return null;
            }
            var keys = new byte[_known.Count * sizeof(ulong)];
            var at = 0;
            foreach (var key in _known.Keys)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(keys.AsSpan(at), key);
                at += sizeof(ulong);
            }
            return keys;
        }
    }

    /// <summary>Takes the page after <see cref="After"/>.</summary>
    /// <param name="page">By id.</param>
    /// <param name="now">The server's clock.</param>
    /// <returns>Names first, then facts, then the total when it is another.</returns>
    public IReadOnlyList<Observation> Take(IReadOnlyList<UserRow> page, DateTimeOffset now)
    {
        var named = new List<PlatformUser>();
        var news = new List<Observation>();
        foreach (var row in page.Where(row => Names.Of(row.Id) is not null))
        {
            var key = Key(row);
            var user = new PlatformUser(row.Id, row.Name);
            _inThisRound.Add(key);
            if (!_known.TryGetValue(key, out var before) && _baseline)
            {
                var at = row.CreatedAt is { } created ? _options.At(created) : now;
                news.Add(new UserActed(FactId(key, "created"), UserAct.Created, user, at));
            }
            if (user != before)
            {
                _known[key] = user;
                named.Add(user);
            }
        }
        if (page.Count < PostgresStatements.UserPage)
        {
            EndRound(news, now);
        }
        else
        {
            After = page[^1].Id;
        }
        return named.Count == 0 ? news : [new UsersNamed(named, now), .. news];
    }

    private void EndRound(List<Observation> news, DateTimeOffset now)
    {
        foreach (var (key, user) in _known.Where(k => !_inThisRound.Contains(k.Key)).ToList())
        {
            news.Add(new UserActed(FactId(key, "deleted"), UserAct.Deleted, user, now));
            _known.Remove(key);
        }
        _inThisRound.Clear();
        _baseline = true;
        After = "";
        if (_total != _known.Count)
        {
            _total = _known.Count;
            news.Add(new UsersTotalled(_known.Count, now));
        }
    }

    private static string FactId(ulong key, string act) =>
        $"user/{key.ToString("x16", CultureInfo.InvariantCulture)}/{act}";

    private static ulong Key(UserRow row) =>
        BinaryPrimitives.ReadUInt64LittleEndian(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{row.Id}\n{row.CreatedAt:O}"))
        );
}
