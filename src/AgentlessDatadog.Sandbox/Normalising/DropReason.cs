namespace AgentlessDatadog.Sandbox.Normalising;

/// <summary>Why Datadog would not show what it answered 202 to.</summary>
internal enum DropReason
{
    /// <summary>More than one hour in the past (§3.8).</summary>
    TooOld,

    /// <summary>More than ten minutes in the future (§3.8).</summary>
    TooNew,

    /// <summary>NaN or infinite (§3.9).</summary>
    NotANumber,

    /// <summary>Empty, or does not start with an ASCII letter (§3.10).</summary>
    BadName,

    /// <summary>Over 200 characters (§3.10).</summary>
    NameTooLong,

    /// <summary>Empty, does not start with a letter, or ends in a colon (§3.10).</summary>
    BadTag,

    /// <summary>Over 200 characters (§3.10).</summary>
    TagTooLong,

    /// <summary>The name is in use for another type (§3.3, §3.9).</summary>
    TypeConflict,

    /// <summary>Not in the closed list (§3.12). The unit goes, the points stay.</summary>
    UnknownUnit,
}

internal static class DropReasons
{
    /// <summary>The reason as the API spells it.</summary>
    public static string Name(this DropReason reason) =>
        reason switch
        {
            DropReason.TooOld => "too_old",
            DropReason.TooNew => "too_new",
            DropReason.NotANumber => "not_a_number",
            DropReason.BadName => "bad_name",
            DropReason.NameTooLong => "name_too_long",
            DropReason.BadTag => "bad_tag",
            DropReason.TagTooLong => "tag_too_long",
            DropReason.TypeConflict => "type_conflict",
            DropReason.UnknownUnit => "unknown_unit",
            _ => throw new ArgumentOutOfRangeException(nameof(reason)),
        };
}
