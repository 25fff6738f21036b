using NATS.Client.Core;
using StreamSpace.Platform.Tests.Support;

namespace EndToEnd.Support;

/// <summary>
/// A StreamSpace that speaks on NATS as upstream does, with its habits: everything twice, statuses again and again,
/// ends before beginnings, clocks of other zones. Beside it an account of what really happened, kept without looking
/// at how the product works it out.
/// </summary>
public sealed class NatsDay(int seed, INatsConnection client, Marks marks)
{
    private static readonly string[] Users = ["ada", "bob", "cem", "dana", "eve", "finn"];
    private static readonly string[] Templates = ["chrome", "vscode", "gimp"];

    private readonly Random _chance = new(seed);
    private readonly UpstreamMessages _kubernetes = new(seed, "kubernetes", TimeSpan.FromHours(-7));
    private readonly UpstreamMessages _docker = new(seed + 1, "docker", TimeSpan.FromMinutes(330));
    private readonly Schedule _schedule = new();
    private readonly List<PlayedLife> _lives = [];

    public IReadOnlyList<PlayedLife> Lives => _lives;

    /// <summary>Plans <paramref name="lives"/> lives over about <paramref name="seconds"/> seconds.</summary>
    public void Plan(int lives, double seconds)
    {
        for (var i = 0; i < lives; i++)
        {
            var user = Users[_chance.Next(Users.Length)];
            var template = Templates[_chance.Next(Templates.Length)];
            var life = new PlayedLife($"{user}-{template}-{_chance.Next():x8}", user, template);
            _lives.Add(life);
            var start = _chance.NextDouble() * seconds * 0.7;
            var end = start + 3 + (_chance.NextDouble() * seconds * 0.5);
            Plan(life, i, start, end);
        }
        // Few, for above 60 events of a kind in a minute there is a summary of them.
        for (var due = 1.0; due < seconds; due += 3)
        {
            var planned = due;
            At(due, at => MarkAsync(at, planned));
        }
    }

    /// <summary>Says something after all that was said so far.</summary>
    public async Task<PlayedLife> MarkAsync(DateTimeOffset at, double? due = null)
    {
        var life = marks.Make("nats", at, due);
        _lives.Add(life);
        await SayAsync(_docker.Create(life.Id, life.User, life.Template, at), () => life.Create(at, at));
        return life;
    }

    /// <summary>
    /// Plays what is planned until <paramref name="until"/> seconds of it, in real time: the timestamps of the messages
    /// are those of the moment.
    /// </summary>
    public Task PlayAsync(double until) => _schedule.PlayAsync(until);

    private void Plan(PlayedLife life, int number, double start, double end)
    {
        var docker = number % 7 == 3;
        var says = docker ? _docker : _kubernetes;
        UpstreamMessage Status(string phase, DateTimeOffset at) =>
            docker ? says.DockerStatus(life.Id, phase.ToLowerInvariant(), at) : says.Status(life.Id, phase, at);

        switch (number % 11)
        {
            case 5: // The end overtakes the beginning.
                var asked = DateTimeOffset.MinValue;
                At(
                    start,
                    at =>
                    {
                        asked = at;
                        return Task.CompletedTask;
                    }
                );
                At(start + 0.3, at => SayAsync(says.Delete(life.Id, life.User, at), () => life.End(at)));
                At(
                    start + 0.6,
                    at => SayAsync(says.Create(life.Id, life.User, life.Template, asked), () => life.Create(asked, at))
                );
                return;
            case 6: // It cannot be made.
                At(start, at => SayAsync(says.Create(life.Id, life.User, life.Template, at), () => life.Create(at, at)));
                At(
                    start + 0.7,
                    at => SayAsync(says.CreationFailed(life.Id, "no such template", at), () => life.Fail(at))
                );
                return;
            case 8: // Nothing confirms it: for ten minutes it is meant to run all the same.
                At(start, at => SayAsync(says.Create(life.Id, life.User, life.Template, at), () => life.Create(at, at)));
                return;
            case 7: // A status overtakes the beginning.
                var begun = DateTimeOffset.MinValue;
                At(
                    start,
                    at =>
                    {
                        begun = at;
                        return Task.CompletedTask;
                    }
                );
                At(start + 0.2, at => SayAsync(Status("Running", at), () => life.Run(at)));
                At(
                    start + 0.4,
                    at => SayAsync(says.Create(life.Id, life.User, life.Template, begun), () => life.Create(begun, at))
                );
                break;
            default:
                At(
                    start,
                    at => SayAsync(says.Create(life.Id, life.User, life.Template, at), () => life.Create(at, at))
                );
                At(start + 0.8, at => SayAsync(Status("Running", at), () => life.Run(at)));
                break;
        }
        At(start + 1.1, at => SayAsync(Status("Running", at), () => life.Run(at)));
        At(start + 1.1, at => SayAsync(Status("Running", at), () => life.Run(at)));

        if (number % 4 == 1)
        {
            At(start + 1.5, at => SayAsync(says.Hibernate(life.Id, life.User, at), () => { }));
            At(start + 1.6, at => SayAsync(Status("Hibernated", at), () => life.Sleep(at)));
            At(start + 1.9, at => SayAsync(Status("Hibernated", at), () => life.Sleep(at)));
            if (number % 8 == 1)
            {
                At(start + 2.3, at => SayAsync(says.Wake(life.Id, life.User, at), () => { }));
                At(start + 2.5, at => SayAsync(Status("Running", at), () => life.Run(at)));
            }
        }
        if (number % 3 != 0)
        {
            if (docker)
            {
                At(end, at => SayAsync(says.DockerStatus(life.Id, "deleted", at), () => life.End(at)));
            }
            At(end + 0.01, at => SayAsync(says.Delete(life.Id, life.User, at), () => life.End(at)));
            At(end + 0.2, at => SayAsync(says.Delete(life.Id, life.User, at), () => life.End(at)));
            At(end + 0.3, at => SayAsync(Status("Running", at), () => { }));
        }
    }

    private void At(double due, Func<DateTimeOffset, Task> step) => _schedule.At(due, step);

    private async Task SayAsync(UpstreamMessage message, Action account)
    {
        account();
        await message.PublishAsync(client);
        if (_chance.Next(6) == 0)
        {
            await message.PublishAsync(client);
        }
    }
}
