namespace AgentlessDatadog.Sandbox.Normalising;

/// <summary>Why Datadog would not show what it answered 202 to.</summary>
internal enum DropReason
{
    /// <summary>More than one hour in the past (docs/reference/datadog.md §3.5); 18 for spans and logs (§5.3, §6.2).</summary>
    TooOld,

    /// <summary>More than ten minutes in the future (§3.5); two hours for spans and logs (§5.3, §6.2).</summary>
    TooNew,

    /// <summary>NaN or infinite (§3.6).</summary>
    NotANumber,

    /// <summary>Empty, or does not start with an ASCII letter (§3.7).</summary>
    BadName,

    /// <summary>Over 200 characters (§3.7).</summary>
    NameTooLong,

    /// <summary>Empty, does not start with a letter, or ends in a colon (§3.7).</summary>
    BadTag,

    /// <summary>Over 200 characters (§3.7).</summary>
    TagTooLong,

    /// <summary>The name is in use for another type (§3.3, §3.6).</summary>
    TypeConflict,

    /// <summary>Not in the closed list (§3.8). The unit goes, the points stay.</summary>
    UnknownUnit,

    /// <summary>More than 1,024 attributes of a span (§5.3). Those beyond go, the span stays.</summary>
    TooManyAttributes,

    /// <summary>A name, a key or a value of a span that is longer than it may be (§5.3). It is shortened.</summary>
    Truncated,

    /// <summary>A log of more than 1 MB (§6.1). It is shortened to its message.</summary>
    LogTooLong,
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
            DropReason.TooManyAttributes => "too_many_attributes",
            DropReason.Truncated => "truncated",
            DropReason.LogTooLong => "log_too_long",
            _ => throw new ArgumentOutOfRangeException(nameof(reason)),
        };
}
