namespace StreamSpace.Datadog.Provisioning.Account;

/// <summary>Datadog did not do what it was asked.</summary>
/// <param name="message">Why, in a sentence that shows no key.</param>
/// <param name="isRefused">True where the keys lack the right: asking for more of the kind is in vain.</param>
/// <param name="isUnreachable">True where nobody answers for Datadog: asking for anything is in vain.</param>
internal sealed class AccountException(string message, bool isRefused = false, bool isUnreachable = false)
    : Exception(message)
{
    public bool IsRefused => isRefused;

    public bool IsUnreachable => isUnreachable;
}
