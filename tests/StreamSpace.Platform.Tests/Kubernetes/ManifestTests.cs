using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using Shouldly;
using StreamSpace.Platform.Sources.Kubernetes;
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

    [Fact]
    public void TheKustomizationIsReadStrictlyAndNamesEveryFileWhateverIsLeftOut()
    {
        var text = File.ReadAllText(Path.Combine(Folder(), "kustomization.yaml"));
        var kustomization = KubernetesYaml.Deserialize<Kustomization>(text, strict: true);

        kustomization.Resources.ShouldAllBe(r => File.Exists(Path.Combine(Folder(), r)));
        var optional = Files.Select(f => f.Data).Except(kustomization.Resources).ToList();
        optional.ShouldBe(["database-policy.yaml", "ingress.yaml", "node-rights.yaml"], ignoreOrder: true);
        optional.ShouldAllBe(f => text.Contains($"# - {f}"));
        // What is read of it as a comment must hold too, once the sign is taken away.
        var whole = Regex.Replace(
            text,
            @"^( *)# ?(?=- [a-z-]+\.yaml$|images:$|  - name:|    newName:)",
            "$1",
            RegexOptions.Multiline
        );
        var all = KubernetesYaml.Deserialize<Kustomization>(whole, strict: true);
        all.Resources.ShouldBe(Files.Select(f => f.Data), ignoreOrder: true);
        all.Images!.ShouldHaveSingleItem().Name.ShouldBe("streamspace-datadog");
    }

    [Fact]
    public void WhatOneManifestCallsAnotherByIsItsName()
    {
        var pod = Only<V1Deployment>().Spec.Template;
        var container = pod.Spec.Containers.Single();
        var service = Only<V1Service>();

        // StreamSpace's chart makes <release>-datadog of "datadog", and takes its API's port for it.
        (service.Metadata.Name, service.Spec.Ports.Single().Port).ShouldBe(("streamspace-datadog", 8000));
        service.Spec.Ports.Single().TargetPort.Value.ShouldBe(container.Ports.Single().Name);
        service.Spec.Selector.ShouldBeSubsetOf(pod.Metadata.Labels);
        Only<V1Deployment>().Spec.Selector.MatchLabels.ShouldBeSubsetOf(pod.Metadata.Labels);
        container.Args.ShouldContain($"http://0.0.0.0:{container.Ports.Single().ContainerPort}");
        pod.Spec.ServiceAccountName.ShouldBe(Only<V1ServiceAccount>().Metadata.Name);
        pod.Spec.Volumes.Single(v => v.PersistentVolumeClaim is not null)
            .PersistentVolumeClaim.ClaimName.ShouldBe(Only<V1PersistentVolumeClaim>().Metadata.Name);
        container.VolumeMounts.Select(m => m.MountPath).ShouldBe(["/data", "/tmp"]);
        container.Args[^1].ShouldBe("/data");
        foreach (var policy in All().OfType<V1NetworkPolicy>().Where(p => p.Spec.PolicyTypes.Contains("Egress")))
        {
            policy.Spec.PodSelector.MatchLabels.ShouldBeSubsetOf(pod.Metadata.Labels);
        }
        Only<V1Ingress>().Spec.Rules.Single().Http.Paths.Single().Backend.Service.Name.ShouldBe(service.Metadata.Name);
    }

    [Fact]
    public void WhatIsReachedIsLetOut()
    {
        var out_ = All()
            .OfType<V1NetworkPolicy>()
            .Single(p => p.Metadata.Name == "streamspace-datadog")
            .Spec.Egress.SelectMany(e => e.Ports)
            .Select(p => p.Port.Value)
            .ToList();
        // DNS, NATS and its monitor, PostgreSQL, the API server as seen from without and within, kubelets, Datadog.
        out_.ShouldBe(["53", "53", "4222", "8222", "5432", "443", "6443", "10250"], ignoreOrder: true);
        Value("NATS_URL").ShouldEndWith(":4222");
    }

    [Fact]
    public void TheRightsThatAreDeployedAreTheOnesThatTheStatusWouldGrant()
    {
        Rules(All())
            .ShouldBe(
                Rules([
                    .. KubernetesYaml.LoadAllFromString(KubernetesGrants.Sessions, null, strict: true),
                    .. KubernetesYaml.LoadAllFromString(KubernetesGrants.Nodes, null, strict: true),
                ]),
                ignoreOrder: true
            );

        static List<string> Rules(IEnumerable<object> manifests) =>
            [
                .. manifests
                    .SelectMany(m => (m as V1Role)?.Rules ?? (m as V1ClusterRole)?.Rules ?? [])
                    .Select(r =>
                        $"{string.Join(',', r.ApiGroups)}/{string.Join(',', r.Resources)}: {string.Join(',', r.Verbs)}"
                    ),
            ];
    }

    [Fact]
    public void EverySecretIsTakenByNameAndTheGuideMakesTheOnesThatAreOurs()
    {
        var guide = File.ReadAllText(Path.Combine(Folder(), "..", "..", "docs", "attach.md"));
        var container = Only<V1Deployment>().Spec.Template.Spec.Containers.Single();
        var secrets = container.Env.Select(e => e.ValueFrom?.SecretKeyRef).OfType<V1SecretKeySelector>().ToList();

        guide.ShouldContain("create secret generic streamspace-datadog");
        secrets
            .Where(s => s.Name == "streamspace-datadog")
            .ShouldAllBe(s => guide.Contains($"--from-literal={s.Key}=", StringComparison.Ordinal));
        // Others make these under names of their own, and may not: the pod starts without.
        secrets.Where(s => s.Name != "streamspace-datadog").ShouldAllBe(s => s.Optional == true);
        container
            .Env.Where(e => e.Value is not null)
            .ShouldAllBe(e => !e.Name.Contains("KEY") && !e.Name.Contains("PASSWORD"));
    }

    private static string Value(string variable) =>
        Only<V1Deployment>().Spec.Template.Spec.Containers.Single().Env.Single(e => e.Name == variable).Value;

    private static T Only<T>() => All().OfType<T>().Single();

    private static List<object> All() =>
        [
            .. Files.SelectMany(f =>
                KubernetesYaml.LoadAllFromString(File.ReadAllText(Path.Combine(Folder(), f.Data)), null, strict: true)
            ),
        ];

    // The client has no type for it.
    private sealed class Kustomization
    {
        public string ApiVersion { get; set; } = "";
        public string Kind { get; set; } = "";
        public string Namespace { get; set; } = "";
        public List<LabelSet> Labels { get; set; } = [];
        public List<string> Resources { get; set; } = [];
        public List<Image>? Images { get; set; }

        public sealed class LabelSet
        {
            public Dictionary<string, string> Pairs { get; set; } = [];
        }

        public sealed class Image
        {
            public string Name { get; set; } = "";
            public string NewName { get; set; } = "";
        }
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
