using AgentlessDatadog.Tests;
using AgentlessDatadog.Tests.Store;
using Xunit.MicrosoftTestingPlatform;

// The test program is also the process that a test kills.
return await StoreKillTests.RunAsChildAsync(args)
    ? 0
    : await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
