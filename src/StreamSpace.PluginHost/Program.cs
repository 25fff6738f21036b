using System.Runtime.ExceptionServices;
using StreamSpace.PluginHost.Commands;
using StreamSpace.PluginHost.Plugins;

// What a plugin throws on a thread of its own must cost that plugin, not the process.
ExceptionHandling.SetUnhandledExceptionHandler(PluginLoadContext.Blame);
return await CommandLine.RunAsync(args, Console.Out, Console.Error);
