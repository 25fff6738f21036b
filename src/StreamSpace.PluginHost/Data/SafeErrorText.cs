using System.Text.RegularExpressions;

namespace StreamSpace.PluginHost.Data;

/// <summary>
/// What went wrong, in the words for callers: files are named as they lie in a package, a plugin or the data folder, never
/// by where on this machine that is. The log has the exception itself.
/// </summary>
internal static partial class SafeErrorText
{
    /// <param name="e">What was thrown.</param>
    /// <param name="folders">What lies in one of them is named by its path from there.</param>
    public static string Of(Exception e, params IEnumerable<string> folders)
    {
        var message = e is HttpRequestException ? First(e) : e.Message;
        // The deepest first: it gives the shortest name.
        foreach (
            var folder in folders
                .Select(f => Path.TrimEndingDirectorySeparator(Path.GetFullPath(f)))
                .OrderByDescending(f => f.Length)
        )
        {
            message = message
                .Replace(folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal)
                .Replace(folder, Path.GetFileName(folder), StringComparison.Ordinal);
        }
        return e is IOException or UnauthorizedAccessException ? Elsewhere().Replace(message, "'$1'") : message;
    }

    /// <summary>What was thrown first, as in "Connection reset by peer"; the outermost where that says it as well, and more.</summary>
    public static string First(Exception e)
    {
        var first = e.GetBaseException().Message;
        return e.Message.Contains(first, StringComparison.Ordinal) ? e.Message : first;
    }

    // A path that is in no folder of ours, as the runtime writes it.
    [GeneratedRegex(@"'/(?:[^']*/)?([^'/]*)/?'")]
    private static partial Regex Elsewhere();
}
