using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>What is deployed is what a cluster understands, and no more than is needed.</summary>
public sealed class ManifestTests
{
    public static TheoryData<string> Files =>
        [
            .. Directory
                .GetFiles(Folder(), "*.yaml")
                .Select(f => Path.GetFileName(f))
                .Where(f => f != "kustomization.yaml"),
        ];

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryManifestIsReadStrictlyIntoTheClientsTypes(string file) =>
        KubernetesYaml
            .LoadAllFromString(File.ReadAllText(Path.Combine(Folder(), file)), null, strict: true)
            .ShouldNotBeEmpty();

    [Fact]
    public void NoRightButReadingIsAskedFor()
    {
        string[] reading = ["get", "list", "watch"];
        var all = Directory
            .GetFiles(Folder(), "*.yaml")
            .Where(f => !f.EndsWith("kustomization.yaml", StringComparison.Ordinal))
            .SelectMany(f => KubernetesYaml.LoadAllFromString(File.ReadAllText(f), null, strict: true))
            .ToList();
        var rules = all.OfType<V1Role>()
            .SelectMany(r => r.Rules)
            .Concat(all.OfType<V1ClusterRole>().SelectMany(r => r.Rules))
            .ToList();
        rules.SelectMany(r => r.Verbs).ShouldAllBe(verb => reading.Contains(verb));
        rules.SelectMany(r => r.Resources).ShouldNotContain("nodes/proxy");
        rules.SelectMany(r => r.Resources).ShouldNotContain("secrets");
    }

    [Fact]
    public void ThePodRunsWithoutPrivilegesAndNeverTwice()
    {
        var yaml = File.ReadAllText(Path.Combine(Folder(), "deployment.yaml"));
        var deployment = KubernetesYaml.LoadAllFromString(yaml, null, strict: true).OfType<V1Deployment>().Single();
        deployment.Spec.Replicas.ShouldBe(1);
        deployment.Spec.Strategy.Type.ShouldBe("Recreate");
        deployment.Spec.Template.Spec.SecurityContext.RunAsNonRoot.ShouldBe(true);
        var container = deployment.Spec.Template.Spec.Containers.Single();
        container.SecurityContext.ReadOnlyRootFilesystem.ShouldBe(true);
        container.SecurityContext.AllowPrivilegeEscalation.ShouldBe(false);
        container.SecurityContext.Capabilities.Drop.ShouldBe(["ALL"]);
    }

    private static string Folder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!Directory.Exists(Path.Combine(folder.FullName, "deploy", "kubernetes")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("deploy/kubernetes is not above the tests.");
        }
        return Path.Combine(folder.FullName, "deploy", "kubernetes");
    }
}
