global using AgentlessDatadog.Sandbox.Tests.Support;
global using Shouldly;
global using Xunit;
