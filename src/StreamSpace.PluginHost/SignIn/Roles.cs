namespace StreamSpace.PluginHost.SignIn;

/// <summary>StreamSpace's roles (docs/reference/streamspace.md §6.1).</summary>
internal static class Roles
{
    public const string Admin = "admin";
    public const string Operator = "operator";
    public const string User = "user";

    /// <summary>Of a browser that the sign-in link let in: it sees what an operator sees, and changes nothing.</summary>
    public const string Viewer = "browser";

    /// <summary>Those that may change something.</summary>
    public static readonly string[] Writing = [Admin, Operator];

    /// <summary>Those that see paths, addresses and what went wrong where; a user sees figures and states.</summary>
    public static readonly string[] Seeing = [Admin, Operator, Viewer];

    /// <summary>Those that a token may be printed for.</summary>
    public static readonly string[] All = [Admin, Operator, User];
}
