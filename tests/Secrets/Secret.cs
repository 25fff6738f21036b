namespace Secrets;

/// <summary>
/// The secrets that tests give to what they test, one of each kind. All begin alike, so that one that is found is known
/// for what it is, and none says anything else, so that nothing else is taken for one. None changes in a URL.
/// </summary>
public static class Secret
{
    /// <summary>Of the form of Datadog's API keys.</summary>
    public const string ApiKey = "5ec3e7a9100c0ffee0d15ea5e0ba5e11";

    /// <summary>Of the form of Datadog's application keys.</summary>
    public const string AppKey = "5ec3e7ab200c0ffee0d15ea5e0ba5e1100facade";

    /// <summary>Of the role that only reads StreamSpace's database.</summary>
    public const string ReaderPassword = "5ec3e7-reader-of-the-database";

    /// <summary>Of the role that owns it.</summary>
    public const string OwnerPassword = "5ec3e7-owner-of-the-database";

    /// <summary>Of NATS.</summary>
    public const string NatsPassword = "5ec3e7-ear-of-the-nats-server";

    /// <summary>With which StreamSpace signs its webhooks.</summary>
    public const string SigningSecret = "whsec_5ec3e7-of-the-webhooks";

    /// <summary>With which StreamSpace signs its tokens; as long as it must be.</summary>
    public const string JwtSecret = "5ec3e7-of-the-tokens-of-streamspace";

    /// <summary>Of the proxy on the way to Datadog.</summary>
    public const string ProxyPassword = "5ec3e7-of-the-proxy-on-the-way";

    /// <summary>Of a plugin's config, whatever it is for.</summary>
    public const string OfConfig = "5ec3e7-of-a-config-of-a-plugin";

    /// <summary>One that its other side does not take.</summary>
    public const string Wrong = "5ec3e7-of-nobody-and-wrong";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        ApiKey,
        AppKey,
        ReaderPassword,
        OwnerPassword,
        NatsPassword,
        SigningSecret,
        JwtSecret,
        ProxyPassword,
        OfConfig,
        Wrong,
    ];
}
