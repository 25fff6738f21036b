using StreamSpace.PluginHost;

return await CommandLine.RunAsync(args, Console.Out, Console.Error);
