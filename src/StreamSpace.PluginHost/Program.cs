using System.Runtime.ExceptionServices;
using StreamSpace.PluginHost.Plugins;
using StreamSpace.PluginHost.Startup;

// What a plugin throws on a thread of its own must cost that plugin, not the process.
ExceptionHandling.SetUnhandledExceptionHandler(PluginLoadContext.Blame);
return await CommandLine.RunAsync(args, Console.Out, Console.Error);
