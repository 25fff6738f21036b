namespace StreamSpace.PluginHost.Web;

/// <summary>What all bodies that are held at a time may take up together.</summary>
/// <param name="mostBodies">How many.</param>
/// <param name="mostBytes">How large in sum.</param>
internal sealed class BodyRoom(int mostBodies, long mostBytes)
{
    private readonly Lock _lock = new();
    private int _bodies;
    private long _bytes;

    /// <summary>A place for one body, to be given back; null when there is none.</summary>
    /// <param name="bytes">As large as it says it is; 0 when it does not say.</param>
    public Place? TryEnter(long bytes)
    {
        lock (_lock)
        {
            if (_bodies >= mostBodies || _bytes + bytes > mostBytes)
            {
                return null;
            }
            (_bodies, _bytes) = (_bodies + 1, _bytes + bytes);
            return new Place(this, bytes);
        }
    }

    private bool TryGrow(int more)
    {
        lock (_lock)
        {
            if (_bytes + more > mostBytes)
            {
                return false;
            }
            _bytes += more;
            return true;
        }
    }

    private void Leave(long bytes)
    {
        lock (_lock)
        {
            (_bodies, _bytes) = (_bodies - 1, _bytes - bytes);
        }
    }

    /// <summary>The place of one body.</summary>
    internal sealed class Place(BodyRoom room, long bytes) : IDisposable
    {
        private long _bytes = bytes;

        /// <summary>Takes up more; false when there is no room for it.</summary>
        public bool TryGrow(int more)
        {
            if (!room.TryGrow(more))
            {
                return false;
            }
            _bytes += more;
            return true;
        }

        public void Dispose()
        {
            room.Leave(_bytes);
        }
    }
}
