using System.Diagnostics;
using AgentlessDatadog.Tracing;
using Microsoft.Extensions.Logging;

namespace AgentlessDatadog.Logging;

/// <summary>The logger of one category: makes an entry of what is logged, with the scopes and the trace that it is in.</summary>
internal sealed class CategoryLogger(string category, LogSender sender, Func<IExternalScopeProvider> scopes) : ILogger
{
    private const string Template = "{OriginalFormat}";

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => scopes().Push(state);

    public bool IsEnabled(LogLevel logLevel) =>
        logLevel is >= LogLevel.Information and < LogLevel.None && !UnsentLogger.IsLogging;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        var values = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
        var template = values.LastOrDefault(value => value.Key == Template).Value as string;
        var kind = new LogKind(category, logLevel, template ?? formatter(state, exception));
        if (!sender.LetsThrough(kind))
        {
            return;
        }

        var message = template is null ? null : MessageTemplate.Of(template).Fill(values);
        var activity = Activity.Current is { IdFormat: ActivityIdFormat.W3C } current ? current : null;
        sender.Add(
            new LogEntry(message ?? formatter(state, exception), sender.Now)
            {
                Level = logLevel,
                Logger = category,
                Attributes = [.. AttributesOf(values, eventId)],
                Error = exception is null ? null : ErrorDetails.Of(exception),
                TraceId = activity is null ? 0 : ActivityReader.IdOf(activity.TraceId),
                SpanId = activity is null ? 0 : ActivityReader.IdOf(activity.SpanId),
            }
        );
    }

    private List<KeyValuePair<string, object?>> AttributesOf(
        IReadOnlyList<KeyValuePair<string, object?>> values,
        EventId eventId
    )
    {
        List<KeyValuePair<string, object?>> attributes = [.. values.Where(value => value.Key != Template)];
        if (eventId.Name is { } name)
        {
            attributes.Add(new("event.name", name));
        }

        scopes()
            .ForEachScope(
                static (scope, all) =>
                {
                    if (scope is IEnumerable<KeyValuePair<string, object?>> more)
                    {
                        all.AddRange(more.Where(value => value.Key != Template));
                    }
                },
                attributes
            );
        return attributes;
    }
}
