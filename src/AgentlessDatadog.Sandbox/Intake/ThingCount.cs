namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>
/// Counts what a protobuf body holds while it is read: an empty message takes two bytes on the wire and a hundred in
/// memory. A body may hold more than fits into it when nothing is empty, and no more.
/// </summary>
internal sealed class ThingCount(string what)
{
    private const int Max = 1_000_000;

    private int _count;

    /// <exception cref="ApiError">413: too many.</exception>
    public void Add()
    {
        if (++_count > Max)
        {
            throw ApiError.TooMany(what, Max);
        }
    }
}
