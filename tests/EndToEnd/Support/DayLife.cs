namespace EndToEnd.Support;

/// <summary>How a session comes to be.</summary>
public enum Origin
{
    /// <summary>The API says so on NATS, and the controller makes the resource.</summary>
    Api,

    /// <summary>The API makes the resource from a session template, naming the user by id, and then says so on NATS.</summary>
    Template,

    /// <summary>Somebody makes the resource by hand: the API never says so.</summary>
    Kubectl,
}

/// <summary>One life of the long day: what really happened to it, and whether anyone could tell.</summary>
public sealed class DayLife(PlayedLife life, Origin origin, string userWord)
{
    public PlayedLife Life => life;

    public Origin Origin => origin;

    /// <summary>What the resource and the messages name the user by.</summary>
    public string UserWord => userWord;

    /// <summary>True while its resource is there.</summary>
    public bool There { get; set; }

    public bool Asleep { get; set; }

    /// <summary>The last part of the day in which something was done with it.</summary>
    public int Part { get; set; }

    /// <summary>How many pods it has had.</summary>
    public int Pods { get; set; }

    public string Pod => $"ss-{life.Id}-{Pods}";

    /// <summary>True once somebody attached must know of it.</summary>
    public bool Known { get; set; }

    /// <summary>True while the stream has what was said about its beginning.</summary>
    public bool Stored { get; set; }
}
