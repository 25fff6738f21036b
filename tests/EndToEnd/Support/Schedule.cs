namespace EndToEnd.Support;

/// <summary>Steps of a day, by the second at which each falls due; played one after the other, in real time.</summary>
public sealed class Schedule
{
    private readonly PriorityQueue<Func<DateTimeOffset, Task>, (double Due, int Order)> _steps = new();
    private double _now;
    private int _added;

    /// <summary>Adds a step behind those that fall due at the same moment; it is given the moment at which it is played.</summary>
    public void At(double due, Func<DateTimeOffset, Task> step) => _steps.Enqueue(step, (due, _added++));

    /// <summary>Adds a step to follow <paramref name="wait"/> seconds after the one that is being played.</summary>
    public void After(double wait, Func<DateTimeOffset, Task> step) => At(_now + wait, step);

    /// <summary>Plays until <paramref name="until"/> seconds, from the first step on.</summary>
    public async Task PlayAsync(double until)
    {
        var begun = TimeProvider.System.GetTimestamp();
        var from = _steps.TryPeek(out _, out var first) ? first.Due : 0;
        while (_steps.TryPeek(out var step, out var next) && next.Due <= until)
        {
            _steps.Dequeue();
            var wait = TimeSpan.FromSeconds(next.Due - from) - TimeProvider.System.GetElapsedTime(begun);
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, TimeProvider.System);
            }
            _now = next.Due;
            await step(TimeProvider.System.GetUtcNow());
        }
    }
}
