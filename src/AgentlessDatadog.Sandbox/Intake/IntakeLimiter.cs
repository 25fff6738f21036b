namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>
/// How much is taken in at a time, over all connections: bytes as they come, and bodies that are unpacked and taken apart,
/// which is what costs.
/// </summary>
internal sealed class IntakeLimiter : IDisposable
{
    private const long MaxWireBytes = 64L << 20;
    private const int MaxUnpacked = 2;

    private readonly SemaphoreSlim _unpacked = new(MaxUnpacked);
    private long _wireBytes;

    /// <summary>Reads a body and lets <paramref name="read"/> take it apart; it must not hold on to the bytes.</summary>
    /// <exception cref="ApiError">503 when too much is under way; otherwise as <see cref="IncomingBody"/>.</exception>
    public async Task<T> TakeAsync<T>(HttpContext context, IntakeRoute route, Func<IncomingBody, T> read)
    {
        var length = Math.Min(context.Request.ContentLength ?? route.MaxWireBytes, route.MaxWireBytes);
        try
        {
            if (Interlocked.Add(ref _wireBytes, length) > MaxWireBytes)
            {
                throw new ApiError(StatusCodes.Status503ServiceUnavailable, "Too many bodies at a time");
            }
            using var body = await IncomingBody.ReadAsync(context, route);
            await _unpacked.WaitAsync(context.RequestAborted);
            try
            {
                body.Unpack(context.Features.Get<RequestRecord>());
                return read(body);
            }
            finally
            {
                _unpacked.Release();
            }
        }
        finally
        {
            Interlocked.Add(ref _wireBytes, -length);
        }
    }

    public void Dispose() => _unpacked.Dispose();
}
