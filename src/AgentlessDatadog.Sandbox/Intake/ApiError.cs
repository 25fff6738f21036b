using AgentlessDatadog.Sandbox.Normalising;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>What an error's body looks like; it differs between Datadog's routes (docs/reference/datadog.md §2.3).</summary>
internal enum ErrorForm
{
    /// <summary><c>{"errors":["…"]}</c></summary>
    Texts,

    /// <summary>The same as <c>text/plain</c>: what the events route says.</summary>
    PlainText,

    /// <summary><c>{"errors":[{"status","title","detail"}]}</c>: what the logs routes say.</summary>
    Objects,
}

/// <summary>
/// Ends a request with a status and Datadog's error body. Nothing of the request is kept.
/// </summary>
internal sealed class ApiError(int status, string message) : Exception(message.Truncate(MaxMessage))
{
    // It shows what was sent, which may be all of a body.
    private const int MaxMessage = 2_000;

    public int Status { get; } = status;

    public ErrorForm Form { get; init; }

    public static ApiError BadRequest(string message) => new(StatusCodes.Status400BadRequest, message);

    public static ApiError Forbidden(string message = "Forbidden") => new(StatusCodes.Status403Forbidden, message);

    public static ApiError TooMany(string what, long limit) =>
        new(StatusCodes.Status413PayloadTooLarge, $"Payload too big: the body holds more than {limit} {what}");

    public static ApiError TooLarge(string what, long limit) =>
        new(StatusCodes.Status413PayloadTooLarge, $"Payload too big: {what} exceeds {limit} bytes");
}
