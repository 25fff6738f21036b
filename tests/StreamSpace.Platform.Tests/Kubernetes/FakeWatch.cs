using System.Threading.Channels;

namespace StreamSpace.Platform.Tests.Kubernetes;

/// <summary>A watch that is open.</summary>
internal sealed record FakeWatch(string Kind, string Namespace, (string Key, string Value)? Label)
{
    public Channel<string> Lines { get; } = Channel.CreateUnbounded<string>();

    public TaskCompletionSource Cut { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool Sees(FakeChange change) =>
        change.Kind == Kind
        && change.Namespace == Namespace
        && (FakeResource.Has(change.Now, Label) || FakeResource.Has(change.Before, Label));
}
