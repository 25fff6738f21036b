using System.Text;
using StreamSpace.PluginHost.Startup;

namespace StreamSpace.PluginHost.Commands;

/// <summary>What reads a command's output: somebody at a screen, or a program or file.</summary>
/// <param name="IsScreen">True for a screen.</param>
/// <param name="HasColour">True when it shows colours, and nobody minds them.</param>
/// <param name="Width">How many characters a line has room for.</param>
internal sealed record Terminal(bool IsScreen, bool HasColour, int Width)
{
    /// <summary>No screen: every line stays whole, for whoever searches it.</summary>
    public static readonly Terminal None = new(IsScreen: false, HasColour: false, int.MaxValue);

    private const int Narrowest = 40;

    /// <summary>The standard output of this process.</summary>
    public static Terminal OfProcess(IReadOnlyDictionary<string, string> environment) =>
        Console.IsOutputRedirected
            ? None
            : new(
                IsScreen: true,
                !environment.ContainsKey("NO_COLOR") && environment.GetValueOrDefault("TERM") != "dumb",
                Math.Max(Narrowest, Console.WindowWidth)
            );

    /// <summary>Clears the screen; empty where there is none.</summary>
    public string Clear => IsScreen ? "\u001B[H\u001B[2J\u001B[3J" : "";

    /// <summary>A word in green, yellow or red, as it goes well, half well or not.</summary>
    public string Tell(Tone tone, string word) => HasColour ? $"\u001B[{(int)tone}m{word}\u001B[0m" : word;

    /// <summary>A text, safe to show, in lines that this has room for; those after the first are indented.</summary>
    public string Wrap(string text, int indent)
    {
        var wrapped = new StringBuilder();
        var room = Width - indent;
        foreach (var word in OneLine.Of(text).Split(' '))
        {
            if (room < Width - indent && word.Length + 1 > room)
            {
                wrapped.AppendLine().Append(' ', indent);
                room = Width - indent;
            }
            else if (wrapped.Length > 0)
            {
                wrapped.Append(' ');
                room--;
            }
            wrapped.Append(word);
            room -= word.Length;
        }
        return wrapped.ToString();
    }
}

/// <summary>How something goes, in the numbers that terminals have for colours.</summary>
internal enum Tone
{
    /// <summary>Well: green.</summary>
    Good = 32,

    /// <summary>Half well: yellow.</summary>
    Middling = 33,

    /// <summary>Not well: red.</summary>
    Bad = 31,
}
