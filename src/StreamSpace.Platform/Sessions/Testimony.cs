using StreamSpace.Platform.Sources;

namespace StreamSpace.Platform.Sessions;

/// <summary>What each witness that looks at sessions itself said last of one session.</summary>
internal sealed record Testimony
{
    /// <summary>Nobody has said anything.</summary>
    public static Testimony None { get; } = new();

    /// <summary>By <see cref="Witness.Resource"/>.</summary>
    public ReportedStatus? Resource { get; init; }

    /// <summary>By <see cref="Witness.Workload"/>.</summary>
    public ReportedStatus? Workload { get; init; }

    /// <summary>By <see cref="Witness.Row"/>.</summary>
    public ReportedStatus? Row { get; init; }

    /// <summary>What a witness said last, or null.</summary>
    public ReportedStatus? By(Witness witness) =>
        witness switch
        {
            Witness.Resource => Resource,
            Witness.Workload => Workload,
            Witness.Row => Row,
            _ => null,
        };

    /// <summary>The same with another word of one witness.</summary>
    public Testimony With(Witness witness, ReportedStatus status) =>
        By(witness) == status
            ? this
            : witness switch
            {
                Witness.Resource => this with { Resource = status },
                Witness.Workload => this with { Workload = status },
                Witness.Row => this with { Row = status },
                _ => this,
            };
}
