namespace StreamSpace.Platform;

/// <summary>
/// Thrown by a listener in place of taking a batch, when it knows nothing any more: it is given a baseline with
/// what is owed, and then the same batch.
/// </summary>
public sealed class BaselineFirstException : Exception;
