namespace AgentlessDatadog.Signals;

/// <summary>
/// How signals that are encoded one by one become the raw body of a request, under one configuration.
/// </summary>
internal abstract class RequestFormat
{
    /// <summary>Bytes of a body beside its signals.</summary>
    public abstract int Overhead { get; }

    /// <summary>Bytes that each signal takes beside its own.</summary>
    public abstract int OverheadOfEach { get; }

    /// <summary>The raw body that holds these signals, in their order.</summary>
    public abstract byte[] Join(IReadOnlyList<EncodedSignal> signals);
}
