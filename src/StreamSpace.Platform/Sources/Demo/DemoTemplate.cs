namespace StreamSpace.Platform.Sources.Demo;

/// <summary>What people of the demo run, and how it behaves.</summary>
/// <param name="Name">The template's name.</param>
/// <param name="Weight">How much it is liked, beside the others.</param>
/// <param name="ReadyAfter">Seconds from asked for to running, about.</param>
/// <param name="Cpu">Percent of the limit that it idles about.</param>
/// <param name="Memory">Bytes that it settles at.</param>
/// <param name="Growth">Bytes of storage that an hour of work adds.</param>
internal sealed record DemoTemplate(string Name, int Weight, int ReadyAfter, double Cpu, double Memory, double Growth)
{
    private const double MiB = 1024 * 1024;
    private const double GiB = 1024 * MiB;

    public static readonly IReadOnlyList<DemoTemplate> All =
    [
        new("chrome", 8, 3, 18, 1.1 * GiB, 120 * MiB),
        new("vscode", 7, 4, 24, 1.6 * GiB, 300 * MiB),
        new("jupyter", 4, 4, 38, 2.4 * GiB, 700 * MiB),
        new("libreoffice", 4, 3, 9, 0.6 * GiB, 40 * MiB),
        new("gimp", 2, 3, 22, 1.2 * GiB, 400 * MiB),
        new("blender", 2, 6, 74, 3.4 * GiB, 1.8 * GiB),
        new("inkscape", 1, 3, 14, 0.7 * GiB, 60 * MiB),
    ];

    /// <summary>One of them, by weight.</summary>
    public static DemoTemplate Pick(Random chance)
    {
        var ticket = chance.Next(All.Sum(t => t.Weight));
        return All.First(t => (ticket -= t.Weight) < 0);
    }
}
