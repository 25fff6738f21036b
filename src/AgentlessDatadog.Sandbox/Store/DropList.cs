using AgentlessDatadog.Sandbox.Normalising;

namespace AgentlessDatadog.Sandbox.Store;

/// <summary>
/// One thing that was answered with 202 and is not shown, or not whole: when it came, under which name (a metric's as sent,
/// cut at 200 characters; <c>event</c>, <c>span</c> or <c>log</c> for the others), and what was wrong in words.
/// </summary>
internal sealed record DroppedItem(
    DateTimeOffset Time,
    DropReason Reason,
    string Metric,
    string Detail,
    double? Value = null,
    long? Timestamp = null
);

/// <summary>The last items dropped, and a total per reason since the start.</summary>
internal sealed class DropList(int max)
{
    private readonly Lock _lock = new();
    private readonly Queue<DroppedItem> _items = [];
    private readonly long[] _totals = new long[Enum.GetValues<DropReason>().Length];

    public void Add(params ReadOnlySpan<DroppedItem> items)
    {
        lock (_lock)
        {
            foreach (var item in items)
            {
                _totals[(int)item.Reason]++;
                _items.Enqueue(item);
                if (_items.Count > max)
                {
                    _items.Dequeue();
                }
            }
        }
    }

    /// <summary>Newest first; totals only of reasons that occurred.</summary>
    public (DroppedItem[] Items, (DropReason Reason, long Count)[] Totals) Read()
    {
        lock (_lock)
        {
            var totals = Enum.GetValues<DropReason>()
                .Select(reason => (reason, _totals[(int)reason]))
                .Where(total => total.Item2 > 0);
            return ([.. _items.Reverse()], [.. totals]);
        }
    }
}
