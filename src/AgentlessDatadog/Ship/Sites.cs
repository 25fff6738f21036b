namespace AgentlessDatadog;

/// <summary>Datadog's sites (reference/datadog-intake.md §1.1). Any other name is taken as it is given.</summary>
internal static class Sites
{
    public static readonly IReadOnlyList<string> Known =
    [
        "datadoghq.com",
        "us3.datadoghq.com",
        "us5.datadoghq.com",
        "datadoghq.eu",
        "ap1.datadoghq.com",
        "ap2.datadoghq.com",
        "uk1.datadoghq.com",
        "ddog-gov.com",
        "us2.ddog-gov.com",
    ];
}
