namespace AgentlessDatadog;

/// <summary>A key that had named a call within the last 48 h came with another one. Nothing of it was kept.</summary>
public sealed class KeyReusedException : InvalidOperationException
{
    /// <summary>Says so.</summary>
    public KeyReusedException()
        : this("The key belongs to a call with other contents: nothing was kept.") { }

    /// <summary>Says it in other words.</summary>
    public KeyReusedException(string message)
        : base(message) { }

    /// <summary>Says it in other words, and what it comes from.</summary>
    public KeyReusedException(string message, Exception inner)
        : base(message, inner) { }
}
