using System.Text;
using AgentlessDatadog.Sandbox.Intake;

namespace AgentlessDatadog.Sandbox.Faults;

/// <summary>Lets the waiting faults strike, before the request reaches its route.</summary>
internal sealed class FaultInjector(FaultTable faults, TimeProvider time)
{
    public async Task InvokeAsync(HttpContext context, RequestRecord record, RequestDelegate next)
    {
        var fault = faults.Take(record.Path);
        if (fault is null)
        {
            await next(context);
            return;
        }
        if (fault.Delay > TimeSpan.Zero)
        {
            await Task.Delay(fault.Delay, time, context.RequestAborted);
        }
        if (fault.Disconnect == Disconnect.None && fault.Status is null)
        {
            await next(context);
        }
        else if (fault.Status is { } status)
        {
            await AnswerAsync(context.Response, status, fault);
            record.Status = status;
        }
        else
        {
            if (fault.Disconnect == Disconnect.AfterBody)
            {
                context.Response.Body = Stream.Null;
                await next(context);
            }
            record.Status = 0;
            context.Abort();
        }
    }

    private static async Task AnswerAsync(HttpResponse response, int status, Fault fault)
    {
        response.StatusCode = status;
        response.ContentType = "application/json";
        foreach (var (name, value) in fault.Headers)
        {
            response.Headers[name] = value;
        }
        if (status is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified))
        {
            await response.BodyWriter.WriteAsync(
                Encoding.UTF8.GetBytes(fault.Body ?? """{"errors":["Injected fault"]}""")
            );
        }
    }
}
