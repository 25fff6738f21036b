namespace AgentlessDatadog;

/// <summary>What went wrong, as Datadog groups errors by it.</summary>
/// <param name="Kind">Its kind, such as the name of an exception's type.</param>
/// <param name="Message">What it says.</param>
public sealed record ErrorDetails(string Kind, EventText Message)
{
    /// <summary>Where it came from: a stack trace, one call on a line. Null: not known.</summary>
    public string? Stack { get; init; }

    /// <summary>What an exception says of itself and of what caused it.</summary>
    /// <param name="error">The exception.</param>
    public static ErrorDetails Of(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        EventText message = error.Message;
        for (var cause = error.InnerException; cause is not null; cause = cause.InnerException)
        {
            message = EventText.Join(": ", [message, cause.Message]);
        }

        return new ErrorDetails(error.GetType().FullName ?? error.GetType().Name, message) { Stack = error.StackTrace };
    }
}
