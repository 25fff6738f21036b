using System.Numerics;
using Microsoft.AspNetCore.RequestDecompression;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace StreamSpace.PluginHost.Web;

/// <summary>Unpacks bodies that came as zstd, which ASP.NET Core itself does not.</summary>
internal sealed class ZstdBodies : IDecompressionProvider
{
    public Stream GetDecompressionStream(Stream stream)
    {
        var unpacking = new DecompressionStream(stream);
        // A frame may ask its reader for a window of gigabytes; one that holds the largest body is enough.
        unpacking.SetParameter(
            ZSTD_dParameter.ZSTD_d_windowLogMax,
            BitOperations.Log2((uint)RequestLimits.Largest) + 1
        );
        return unpacking;
    }
}
