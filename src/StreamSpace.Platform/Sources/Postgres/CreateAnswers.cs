namespace StreamSpace.Platform.Sources.Postgres;

/// <summary>
/// How the API of version 1 answers requests for sessions. It answers 500 when it could not publish the request on NATS, and
/// for no other reason (docs/reference/streamspace.md §4.5).
/// </summary>
internal sealed class CreateAnswers(PostgresOptions options)
{
    // One alone may be a request that broke.
    private const int Telling = 2;

    private DateTime _last = DateTime.MinValue;
    private DateTime _refusedSince;
    private int _refused;

    /// <summary>Takes rows, by id.</summary>
    /// <returns>How it answers now, or null when that is no news, or cannot be told.</returns>
    public CreatesAnswered? Take(IEnumerable<AuditRow> rows)
    {
        var isNews = false;
        // A row may show late.
        foreach (
            var row in rows.Where(r => r.Kind is AuditKind.CreateTaken or AuditKind.CreateRefused && r.Start >= _last)
        )
        {
            isNews = true;
            _last = row.Start;
            _refused = row.Kind is AuditKind.CreateRefused ? _refused + 1 : 0;
            _refusedSince = _refused == 1 ? row.Start : _refusedSince;
        }
        return (isNews, _refused) switch
        {
            (false, _) => null,
            (_, 0) => new CreatesAnswered(RefusedSince: null, options.At(_last)),
            (_, >= Telling) => new CreatesAnswered(options.At(_refusedSince), options.At(_last)),
            _ => null,
        };
    }
}
