using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>An authority that nobody else trusts, and a certificate of it for the loopback address.</summary>
internal sealed class FakeAuthority : IDisposable
{
    private readonly X509Certificate2 _root;

    public FakeAuthority()
    {
        var from = DateTimeOffset.UnixEpoch.AddYears(50);
        var to = from.AddYears(100);
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var root = new CertificateRequest("CN=fake-cluster-ca", rootKey, HashAlgorithmName.SHA256);
        root.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _root = root.CreateSelfSigned(from, to);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var server = new CertificateRequest("CN=fake-cluster", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        server.CertificateExtensions.Add(names.Build());
        using var signed = server.Create(_root, from, to, [1, 2, 3, 4]);
        Server = signed.CopyWithPrivateKey(key);
    }

    /// <summary>With its key.</summary>
    public X509Certificate2 Server { get; }

    /// <summary>The authority's own certificate.</summary>
    public string Pem => _root.ExportCertificatePem();

    public void Dispose()
    {
        Server.Dispose();
        _root.Dispose();
    }
}
