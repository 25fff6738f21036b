using System.Net;
using System.Security.Authentication;
using System.Text.Json;

namespace StreamSpace.Platform.Sources.Kubernetes;

/// <summary>The cluster refused a request, or could not be reached. The message is one sentence for a person.</summary>
internal sealed class ClusterException(string message, HttpStatusCode? status = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>What it answered, or null when it did not.</summary>
    public HttpStatusCode? Status => status;

    /// <summary>
    /// True when it answered that we may not, or that there is no such thing: a person must act. Credentials that it does
    /// not take are another matter: they say nothing of this right, and are read anew.
    /// </summary>
    public bool Refused => status is HttpStatusCode.Forbidden or HttpStatusCode.NotFound;

    /// <summary>What to do about our own files, of which the message tells.</summary>
    public const string MendAndWait = "Mend that; it is tried again by itself.";

    /// <summary>One sentence: what to do, where that does not follow from <see cref="Status"/>; else null.</summary>
    public string? Fix { get; init; }

    /// <summary>True when what was asked for is too old to be known.</summary>
    public bool Gone => status is HttpStatusCode.Gone;

    /// <summary>In our words what hindered an exchange.</summary>
    public static ClusterException From(Exception e)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case ClusterException known:
                    return known;
                case AuthenticationException:
                    return new ClusterException(
                        "TLS failed: its certificate is not signed by the authority we were given, or for another name.",
                        inner: e
                    );
                case JsonException:
                    return new ClusterException("It answers with something that is not Kubernetes' JSON.", inner: e);
                case OperationCanceledException or TimeoutException:
                    return new ClusterException("It does not answer in time.", inner: e);
            }
        }
        return new ClusterException("It does not answer, or cuts the connection.", inner: e);
    }
}
