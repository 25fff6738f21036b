namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>
/// Ends a request with a status and Datadog's error body <c>{"errors":["…"]}</c>. Nothing of the request is kept.
/// </summary>
internal sealed class ApiError(int status, string message) : Exception(message)
{
    public int Status { get; } = status;

    /// <summary>Event refusals go out as text/plain with JSON inside (docs/reference/datadog.md §2.3).</summary>
    public bool AsPlainText { get; init; }

    public static ApiError BadRequest(string message) => new(StatusCodes.Status400BadRequest, message);

    public static ApiError Forbidden(string message = "Forbidden") => new(StatusCodes.Status403Forbidden, message);

    public static ApiError TooMany(string what, long limit) =>
        new(StatusCodes.Status413PayloadTooLarge, $"Payload too big: the body holds more than {limit} {what}");

    public static ApiError TooLarge(string what, long limit) =>
        new(StatusCodes.Status413PayloadTooLarge, $"Payload too big: {what} exceeds {limit} bytes");
}
