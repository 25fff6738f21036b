namespace StreamSpace.PluginHost;

/// <summary>StreamSpace's roles (reference/streamspace.md §4.2).</summary>
internal static class Roles
{
    public const string Admin = "admin";
    public const string Operator = "operator";
    public const string User = "user";

    public static readonly string[] All = [Admin, Operator, User];
}
