using Microsoft.AspNetCore.DataProtection;

namespace StreamSpace.PluginHost.Data;

/// <summary>
/// The keys that encrypt secrets at rest. They lie unencrypted in a folder that only its owner can read: this
/// protects a copied or leaked <c>host.db</c>, not a machine that was taken over.
/// </summary>
internal sealed class KeyRing(string folder)
{
    private readonly DirectoryInfo _folder = new(folder);

    public IDataProtector CreateProtector(string purpose) =>
        DataProtectionProvider.Create(_folder, Name).CreateProtector(purpose);

    public void Configure(IDataProtectionBuilder builder) => Name(builder.PersistKeysToFileSystem(_folder));

    private static void Name(IDataProtectionBuilder builder) => builder.SetApplicationName("StreamSpace.PluginHost");
}
