namespace StreamSpace.Datadog.Provisioning.Account;

/// <summary>The keys of a run, so that no error shows them: whoever answers may repeat what it was sent.</summary>
internal sealed class AccountSecrets(string applicationKey, string? apiKey)
{
    public string ApplicationKey => applicationKey;

    /// <summary>A text without them.</summary>
    public string Redact(string text)
    {
        text = text.Replace(applicationKey, "[application key]", StringComparison.OrdinalIgnoreCase);
        return string.IsNullOrEmpty(apiKey)
            ? text
            : text.Replace(apiKey, "[API key]", StringComparison.OrdinalIgnoreCase);
    }

    // Nothing that prints it may print a key.
    public override string ToString() => "keys";
}
