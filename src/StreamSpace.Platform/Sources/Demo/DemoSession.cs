using StreamSpace.Plugins;

namespace StreamSpace.Platform.Sources.Demo;

/// <summary>A session of the demo. Its usage wanders smoothly about what its template likes.</summary>
internal sealed class DemoSession(string id, string user, DemoTemplate template, Random chance)
{
    private double _cpu = template.Cpu;
    private double _cpuTarget = template.Cpu;
    private double _memory = template.Memory * 0.6;
    private double _storage = template.Growth * (1 + (4 * chance.NextDouble()));

    public string Id => id;

    public PlatformUser User { get; } = new(user, user);

    public string Template => template.Name;

    /// <summary>Says in which of the seconds it is measured, so that not all are at once.</summary>
    public int Turn { get; } = chance.Next(60);

    /// <summary>Running, asleep, or (null) asked for and not ready yet.</summary>
    public ReportedStatus? Status { get; set; }

    /// <summary>Seconds until it is ready or fails; counts while <see cref="Status"/> is null.</summary>
    public int ReadyIn { get; set; } = template.ReadyAfter + chance.Next(3);

    /// <summary>True for one that will never be ready.</summary>
    public bool Doomed { get; init; }

    /// <summary>What it uses after another <paramref name="elapsed"/> of work.</summary>
    public UsageMeasured Measure(DateTimeOffset at, TimeSpan elapsed)
    {
        if (chance.NextDouble() < 0.08)
        {
            _cpuTarget = template.Cpu * (0.3 + (1.6 * chance.NextDouble()));
        }
        _cpu = Math.Clamp(_cpu + ((_cpuTarget - _cpu) * 0.25) + Swing(template.Cpu * 0.08), 0.2, 100);
        _memory = Math.Max(
            0,
            _memory + (((template.Memory * (0.9 + (_cpu / 400))) - _memory) * 0.1) + Swing(template.Memory * 0.01)
        );
        _storage += template.Growth * elapsed.TotalHours * 2 * chance.NextDouble();
        return new UsageMeasured(id, at, Math.Round(_cpu, 2), Math.Round(_memory), Math.Round(_storage));
    }

    private double Swing(double width) => width * ((2 * chance.NextDouble()) - 1);
}
