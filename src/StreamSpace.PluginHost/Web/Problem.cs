using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Data.Sqlite;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.Plugins;

namespace StreamSpace.PluginHost.Web;

/// <summary>Every error answer is <c>application/problem+json</c>, whatever the caller says it accepts.</summary>
internal static class Problem
{
    // sqlite.org/rescode.html
    private const int IoError = 10;

    public static ProblemHttpResult Of(int status, string detail) =>
        TypedResults.Problem(detail, statusCode: status, title: ReasonPhrases.GetReasonPhrase(status));

    public static IResult Of(IReadOnlyList<ConfigError> errors) =>
        TypedResults.Json(
            new ConfigProblem
            {
                Status = StatusCodes.Status400BadRequest,
                Title = "The config has errors; the one in force stays.",
                Detail = string.Join(" ", errors),
                Errors = errors,
            },
            contentType: "application/problem+json",
            statusCode: StatusCodes.Status400BadRequest
        );

    /// <summary>Gives a body to answers that have none: 404, 405, 413 and so on.</summary>
    public static void UseProblems(this IApplicationBuilder app)
    {
        app.UseExceptionHandler(
            new ExceptionHandlerOptions
            {
                ExceptionHandler = AnswerExceptionAsync,
                StatusCodeSelector = StatusOf,
                SuppressDiagnosticsCallback = context =>
                    context.Exception is BadHttpRequestException or PluginException || IsAborted(context.Exception),
            }
        );
        app.UseStatusCodePages(context =>
        {
            var http = context.HttpContext;
            return Of(http.Response.StatusCode, Sentence(http)).ExecuteAsync(http);
        });
    }

    private static Task AnswerExceptionAsync(HttpContext http)
    {
        var exception = http.Features.Get<IExceptionHandlerFeature>()?.Error;
        var detail = exception switch
        {
            PluginException said => said.Message,
            BadHttpRequestException { StatusCode: StatusCodes.Status503ServiceUnavailable } later => later.Message,
            BadHttpRequestException => Sentence(http),
            // Where the disk fails at the end of a commit, nobody can tell.
            SqliteException { SqliteErrorCode: IoError } =>
                "The data folder failed, and whether this was kept is not known: look what holds now, and try again. The log says why.",
            SqliteException => "The data folder could not keep it, so nothing was changed; the log says why.",
            _ => "This failed here; the log says why.",
        };
        if (exception is BadHttpRequestException && http.Response.StatusCode is StatusCodes.Status503ServiceUnavailable)
        {
            http.Response.Headers.RetryAfter = "1";
        }
        return Of(http.Response.StatusCode, detail).ExecuteAsync(http);
    }

    private static int StatusOf(Exception exception) =>
        exception switch
        {
            PluginException said => said.Status,
            BadHttpRequestException bad => bad.StatusCode,
            SqliteException => StatusCodes.Status503ServiceUnavailable,
            _ when IsAborted(exception) => StatusCodes.Status400BadRequest,
            _ => StatusCodes.Status500InternalServerError,
        };

    // The caller went away in the middle of his request: there is nothing of ours to mend, and nobody to answer.
    private static bool IsAborted(Exception exception) =>
        exception is ConnectionResetException or ConnectionAbortedException;

    private static string Sentence(HttpContext http) =>
        http.Response.StatusCode switch
        {
            StatusCodes.Status400BadRequest => "The request or its body is malformed.",
            StatusCodes.Status404NotFound =>
                $"There is nothing at {http.Request.Path}; /openapi/v1.json lists what there is.",
            StatusCodes.Status405MethodNotAllowed =>
                $"{http.Request.Method} is not possible here; allowed: {http.Response.Headers.Allow}.",
            StatusCodes.Status408RequestTimeout => "The body came too slowly.",
            StatusCodes.Status413PayloadTooLarge => $"The body is larger than {RequestLimits.Largest} bytes.",
            StatusCodes.Status415UnsupportedMediaType => "Send the body as Content-Type: application/json.",
            var status => ReasonPhrases.GetReasonPhrase(status),
        };
}

/// <summary>A problem with a config, and every error in it.</summary>
internal sealed class ConfigProblem : ProblemDetails
{
    public IReadOnlyList<ConfigError> Errors { get; init; } = [];
}
