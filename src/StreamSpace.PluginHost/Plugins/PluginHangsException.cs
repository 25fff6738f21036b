namespace StreamSpace.PluginHost;

/// <summary>A plugin did not come back from a call in time, and was isolated.</summary>
internal sealed class PluginHangsException(string message) : Exception(message);
