using System.Text.Json.Nodes;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <content>What StreamSpace's API and controller do with it (docs/reference/streamspace.md §3).</content>
public sealed partial class FakeCluster
{
    private const string Home = "streamspace";

    /// <summary>A session is asked for; the controller has not seen it yet.</summary>
    public void CreateSession(string id, string user = "ada", string template = "chrome", string @namespace = Home) =>
        Put(
            "sessions",
            @namespace,
            id,
            s =>
                s["spec"] = new JsonObject
                {
                    ["user"] = user,
                    ["template"] = template,
                    ["state"] = "running",
                }
        );

    /// <summary>Sets the intent: <c>running</c>, <c>hibernated</c>, <c>terminated</c>.</summary>
    public void Want(string id, string state, string @namespace = Home) =>
        Put("sessions", @namespace, id, s => s["spec"]!["state"] = state);

    /// <summary>Sets the phase, and with a fault the condition that tells of it.</summary>
    public void Phase(string id, string phase, string? fault = null, string @namespace = Home) =>
        Put(
            "sessions",
            @namespace,
            id,
            s =>
            {
                s["status"] = new JsonObject { ["phase"] = phase };
                if (fault is not null)
                {
                    s["status"]!["conditions"] = new JsonArray(
                        new JsonObject
                        {
                            ["type"] = "TemplateResolved",
                            ["status"] = "False",
                            ["message"] = fault,
                        }
                    );
                }
            }
        );

    /// <summary>Sets a condition that is not met; a phase stays as it is, and none stays none.</summary>
    public void Fail(string id, string type, string reason, string message, string @namespace = Home) =>
        Put(
            "sessions",
            @namespace,
            id,
            s =>
            {
                s["status"] ??= new JsonObject();
                s["status"]!["conditions"] = new JsonArray(
                    new JsonObject
                    {
                        ["type"] = "Ready",
                        ["status"] = "False",
                        ["message"] = "not yet",
                    },
                    new JsonObject
                    {
                        ["type"] = type,
                        ["status"] = "False",
                        ["reason"] = reason,
                        ["message"] = message,
                    }
                );
            }
        );

    /// <summary>The user moves the mouse: a change that says nothing new.</summary>
    public void Touch(string id, string @namespace = Home) =>
        Put(
            "sessions",
            @namespace,
            id,
            s =>
            {
                s["status"] ??= new JsonObject();
                s["status"]!["lastActivity"] = Second();
            }
        );

    /// <summary>Deletion is asked for, and a finalizer holds it.</summary>
    public void BeginDelete(string id, string @namespace = Home) =>
        Put("sessions", @namespace, id, s => s["metadata"]!["deletionTimestamp"] = Second());

    /// <summary>The session is gone.</summary>
    public void DeleteSession(string id, string @namespace = Home) => Drop("sessions", @namespace, id);

    /// <summary>A pod of a session's deployment is made.</summary>
    /// <param name="name">The pod's.</param>
    /// <param name="session">The session it is labelled with.</param>
    /// <param name="user">As in the session.</param>
    /// <param name="template">As in the session.</param>
    /// <param name="limit">The container's CPU limit, or null.</param>
    /// <param name="request">The container's CPU request, or null.</param>
    /// <param name="namespace">Where.</param>
    public void CreatePod(
        string name,
        string session,
        string user = "ada",
        string template = "chrome",
        string? limit = "2",
        string? request = null,
        string @namespace = Home
    ) =>
        Put(
            "pods",
            @namespace,
            name,
            p =>
            {
                p["metadata"]!["labels"] = new JsonObject
                {
                    ["app"] = "streamspace-session",
                    ["user"] = user,
                    ["template"] = template,
                    ["session"] = session,
                };
                var resources = new JsonObject();
                if (limit is not null)
                {
                    resources["limits"] = new JsonObject { ["cpu"] = limit, ["memory"] = "2Gi" };
                }
                if (request is not null)
                {
                    resources["requests"] = new JsonObject { ["cpu"] = request };
                }
                p["spec"] = new JsonObject
                {
                    ["nodeName"] = "node-1",
                    ["containers"] = new JsonArray(new JsonObject { ["name"] = "session", ["resources"] = resources }),
                };
                p["status"] = new JsonObject { ["hostIP"] = "127.0.0.1" };
            }
        );

    /// <summary>A pod becomes ready, or unready.</summary>
    public void Ready(string pod, bool ready = true, string @namespace = Home) =>
        Put(
            "pods",
            @namespace,
            pod,
            p =>
                p["status"]!["conditions"] = new JsonArray(
                    new JsonObject
                    {
                        ["type"] = "Ready",
                        ["status"] = ready ? "True" : "False",
                        ["lastTransitionTime"] = Second(),
                    }
                )
        );

    /// <summary>A pod is gone.</summary>
    public void DeletePod(string name, string @namespace = Home) => Drop("pods", @namespace, name);

    /// <summary>A session with a ready pod, as most are.</summary>
    public void RunSession(string id, string user = "ada", string template = "chrome", string @namespace = Home)
    {
        CreateSession(id, user, template, @namespace);
        CreatePod($"ss-{id}", id, user, template, @namespace: @namespace);
        Ready($"ss-{id}", @namespace: @namespace);
        Phase(id, "Running", @namespace: @namespace);
    }
}
