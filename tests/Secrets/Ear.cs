using System.Collections;
using System.Diagnostics.Tracing;
using System.Runtime.ExceptionServices;

namespace Secrets;

/// <summary>
/// Hears every exception that is thrown in this process, whether anybody sees it or not, and every URL that it asks
/// for by HTTP.
/// </summary>
/// <param name="hear">Takes where something was heard, and what; may be called from any thread.</param>
public sealed class Ear(Action<string, string> hear) : EventListener
{
    // What hears may throw itself.
    [ThreadStatic]
    private static bool _hears;

    /// <summary>Begins to hear.</summary>
    public Ear Open()
    {
        // Otherwise the runtime leaves the query out of what it tells of a URL.
        AppContext.SetSwitch("System.Net.Http.DisableUriRedaction", true);
        AppDomain.CurrentDomain.FirstChanceException += HearException;
        foreach (var source in EventSource.GetSources())
        {
            Enable(source);
        }
        return this;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        AppDomain.CurrentDomain.FirstChanceException -= HearException;
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource eventSource) => Enable(eventSource);

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName is "RequestStart" or "Redirect")
        {
            Hear("a URL", string.Concat(eventData.Payload!));
        }
    }

    private void Enable(EventSource source)
    {
        if (source.Name == "System.Net.Http")
        {
            EnableEvents(source, EventLevel.Informational);
        }
    }

    private void HearException(object? sender, FirstChanceExceptionEventArgs thrown)
    {
        // There may not be the memory to say so.
        if (thrown.Exception is not OutOfMemoryException)
        {
            Hear("an exception", thrown.Exception);
        }
    }

    private void Hear(string place, object what)
    {
        if (_hears)
        {
            return;
        }
        _hears = true;
        try
        {
            hear(place, what as string ?? Text((Exception)what));
        }
        catch (Exception)
        {
            // What is heard must go on as if nobody listened.
        }
        finally
        {
            _hears = false;
        }
    }

    // Not ToString: a stack says nothing that could be secret, and takes long to write down.
    private static string Text(Exception exception)
    {
        var own = $"{exception.GetType()}: {exception.Message}";
        var data = string.Concat(exception.Data.Cast<DictionaryEntry>().Select(d => $" {d.Key}={d.Value}"));
        var inner = exception is AggregateException many ? many.InnerExceptions : [exception.InnerException!];
        return own + data + string.Concat(inner.Where(e => e is not null).Select(e => $" <- {Text(e)}"));
    }
}
