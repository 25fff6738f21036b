using System.Text.Json.Nodes;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>What an agent of StreamSpace 2 does with a cluster (docs/reference/streamspace.md §8.3).</summary>
/// <param name="cluster">Its.</param>
/// <param name="namespace">Where its sessions are.</param>
public sealed class FakeAgent(FakeCluster cluster, string @namespace = "streamspace")
{
    private int _pods;

    /// <summary>Makes the deployment; its pod follows.</summary>
    /// <returns>The pod's name.</returns>
    public string Start(string id, string user = "ada", string template = "chrome")
    {
        cluster.Put("deployments", @namespace, id, d => Fill(d, id, user, template, replicas: 1));
        return CreatePod(id, user, template);
    }

    /// <summary>The pod is ready: only now a resource is made, which nobody touches again.</summary>
    public void Ready(string id, string pod, string user = "ada", string template = "chrome")
    {
        cluster.Ready(pod, @namespace: @namespace);
        cluster.Put("deployments", @namespace, id, d => d["status"] = new JsonObject { ["readyReplicas"] = 1 });
        LeaveResource(id, user, template);
    }

    /// <summary>The resource that says <c>running</c> for ever.</summary>
    public void LeaveResource(string id, string user = "ada", string template = "chrome") =>
        cluster.Put(
            "sessions",
            @namespace,
            id,
            s =>
            {
                s["metadata"]!["labels"] = Labels(id, user, template);
                s["spec"] = new JsonObject
                {
                    ["user"] = user,
                    ["template"] = template,
                    ["state"] = "running",
                };
            }
        );

    /// <summary>Scales to nothing, and the pod goes.</summary>
    public void Hibernate(string id, string pod)
    {
        cluster.Put(
            "deployments",
            @namespace,
            id,
            d =>
            {
                d["spec"]!["replicas"] = 0;
                d["status"] = new JsonObject();
            }
        );
        cluster.DeletePod(pod, @namespace);
    }

    /// <summary>Scales to one; another pod follows.</summary>
    /// <returns>The pod's name.</returns>
    public string Wake(string id, string user = "ada", string template = "chrome")
    {
        cluster.Put("deployments", @namespace, id, d => d["spec"]!["replicas"] = 1);
        return CreatePod(id, user, template);
    }

    /// <summary>Deletes the deployment, in the foreground: its pod goes first, while it waits.</summary>
    public void Stop(string id, string pod)
    {
        cluster.Put(
            "deployments",
            @namespace,
            id,
            d => d["metadata"]!["deletionTimestamp"] = d["metadata"]!["creationTimestamp"]!.DeepClone()
        );
        cluster.DeletePod(pod, @namespace);
        cluster.Drop("deployments", @namespace, id);
    }

    /// <summary>A session that runs, with all that belongs to it.</summary>
    /// <returns>The pod's name.</returns>
    public string Run(string id, string user = "ada", string template = "chrome")
    {
        var pod = Start(id, user, template);
        Ready(id, pod, user, template);
        return pod;
    }

    private string CreatePod(string id, string user, string template)
    {
        var name = $"{id}-{++_pods:x}";
        cluster.CreatePod(name, id, user, template, @namespace: @namespace);
        return name;
    }

    private static void Fill(JsonObject deployment, string id, string user, string template, int replicas)
    {
        deployment["metadata"]!["labels"] = Labels(id, user, template);
        deployment["spec"] = new JsonObject { ["replicas"] = replicas };
        deployment["status"] = new JsonObject();
    }

    private static JsonObject Labels(string id, string user, string template) =>
        new()
        {
            ["app"] = "streamspace-session",
            ["session"] = id,
            ["user"] = user,
            ["template"] = template,
        };
}
