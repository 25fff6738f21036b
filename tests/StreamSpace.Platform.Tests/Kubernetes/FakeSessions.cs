using System.Text.Json.Nodes;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>What StreamSpace's API and controller do in a <see cref="FakeCluster"/> (docs/reference/streamspace.md §3).</summary>
public static class FakeSessions
{
    private const string Home = "streamspace";

    /// <summary>A session is asked for; the controller has not seen it yet.</summary>
    public static void CreateSession(
        this FakeCluster cluster,
        string id,
        string user = "ada",
        string template = "chrome",
        string @namespace = Home
    ) =>
        cluster.Put(
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
    public static void Want(this FakeCluster cluster, string id, string state, string @namespace = Home) =>
        cluster.Put("sessions", @namespace, id, s => s["spec"]!["state"] = state);

    /// <summary>Sets the phase, and with an error the condition that tells of it.</summary>
    public static void Phase(
        this FakeCluster cluster,
        string id,
        string phase,
        string? error = null,
        string @namespace = Home
    ) =>
        cluster.Put(
            "sessions",
            @namespace,
            id,
            s =>
            {
                s["status"] = new JsonObject { ["phase"] = phase };
                if (error is not null)
                {
                    s["status"]!["conditions"] = new JsonArray(
                        new JsonObject
                        {
                            ["type"] = "TemplateResolved",
                            ["status"] = "False",
                            ["message"] = error,
                        }
                    );
                }
            }
        );

    /// <summary>Sets a condition that is not met; a phase stays as it is, and none stays none.</summary>
    public static void Fail(
        this FakeCluster cluster,
        string id,
        string type,
        string reason,
        string message,
        string @namespace = Home
    ) =>
        cluster.Put(
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
    public static void Touch(this FakeCluster cluster, string id, string @namespace = Home) =>
        cluster.Put(
            "sessions",
            @namespace,
            id,
            s =>
            {
                s["status"] ??= new JsonObject();
                s["status"]!["lastActivity"] = cluster.Second();
            }
        );

    /// <summary>Deletion is asked for, and a finalizer holds it.</summary>
    public static void BeginDelete(this FakeCluster cluster, string id, string @namespace = Home) =>
        cluster.Put("sessions", @namespace, id, s => s["metadata"]!["deletionTimestamp"] = cluster.Second());

    /// <summary>The session is gone.</summary>
    public static void DeleteSession(this FakeCluster cluster, string id, string @namespace = Home) =>
        cluster.Drop("sessions", @namespace, id);

    /// <summary>A pod of a session's deployment is made.</summary>
    /// <param name="name">The pod's.</param>
    /// <param name="session">The session it is labelled with.</param>
    /// <param name="user">As in the session.</param>
    /// <param name="template">As in the session.</param>
    /// <param name="limit">The container's CPU limit, or null.</param>
    /// <param name="request">The container's CPU request, or null.</param>
    /// <param name="namespace">Where.</param>
    public static void CreatePod(
        this FakeCluster cluster,
        string name,
        string session,
        string user = "ada",
        string template = "chrome",
        string? limit = "2",
        string? request = null,
        string @namespace = Home
    ) =>
        cluster.Put(
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
    public static void Ready(this FakeCluster cluster, string pod, bool ready = true, string @namespace = Home) =>
        cluster.Put(
            "pods",
            @namespace,
            pod,
            p =>
                p["status"]!["conditions"] = new JsonArray(
                    new JsonObject
                    {
                        ["type"] = "Ready",
                        ["status"] = ready ? "True" : "False",
                        ["lastTransitionTime"] = cluster.Second(),
                    }
                )
        );

    /// <summary>A pod is gone.</summary>
    public static void DeletePod(this FakeCluster cluster, string name, string @namespace = Home) =>
        cluster.Drop("pods", @namespace, name);

    /// <summary>A session with a ready pod, as most are.</summary>
    public static void RunSession(
        this FakeCluster cluster,
        string id,
        string user = "ada",
        string template = "chrome",
        string @namespace = Home
    )
    {
        cluster.CreateSession(id, user, template, @namespace);
        cluster.CreatePod($"ss-{id}", id, user, template, @namespace: @namespace);
        cluster.Ready($"ss-{id}", @namespace: @namespace);
        cluster.Phase(id, "Running", @namespace: @namespace);
    }
}
