using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Faults;

/// <summary>The faults still to strike, in the order they were asked for.</summary>
internal sealed class FaultTable
{
    private const int MaxFaults = 1_000;

    private readonly Lock _lock = new();
    private readonly List<Fault> _faults = [];

    /// <exception cref="ApiError">400: the table is full.</exception>
    public void Add(Fault fault)
    {
        lock (_lock)
        {
            if (_faults.Count == MaxFaults)
            {
                throw ApiError.BadRequest(
                    $"{MaxFaults} faults are waiting already; DELETE /sandbox/faults clears them"
                );
            }
            _faults.Add(fault);
        }
    }

    /// <summary>Takes one stroke of the first fault for this path, or null when there is none.</summary>
    public Fault? Take(string path)
    {
        lock (_lock)
        {
            var fault = _faults.Find(candidate => candidate.Path.Matches(path));
            if (fault is not null && --fault.Left == 0)
            {
                _faults.Remove(fault);
            }
            return fault;
        }
    }

    /// <summary>Each fault with what is left of it now.</summary>
    public Fault[] List()
    {
        lock (_lock)
        {
            return [.. _faults.Select(fault => fault with { })];
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _faults.Clear();
        }
    }
}
