namespace StreamSpace.PluginHost.Startup;

/// <summary>Why the process cannot start: one sentence that says what to do. Ends it with exit code 1.</summary>
internal sealed class StartupException(string sentence, Exception? cause = null) : Exception(sentence, cause);
