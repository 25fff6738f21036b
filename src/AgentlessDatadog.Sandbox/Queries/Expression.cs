namespace AgentlessDatadog.Sandbox.Queries;

/// <summary>What is asked for: a query, a number, the name of a query, or what is reckoned of them.</summary>
internal abstract record Expression
{
    public sealed record Number(double Value) : Expression;

    public sealed record Metric(MetricQuery Query) : Expression;

    /// <summary>The name that a query has in what asks.</summary>
    public sealed record Reference(string Name) : Expression;

    /// <summary>The operator is one of <c>+ - * /</c>.</summary>
    public sealed record Arithmetic(char Operator, Expression Left, Expression Right) : Expression;

    /// <summary>A function with what it is of, and the numbers that follow.</summary>
    public sealed record Call(Function Function, Expression Argument, IReadOnlyList<double> Numbers) : Expression;

    /// <summary>All queries in it, in the order in which they are written.</summary>
    public IEnumerable<MetricQuery> Queries() =>
        this switch
        {
            Metric metric => [metric.Query],
            Arithmetic arithmetic => arithmetic.Left.Queries().Concat(arithmetic.Right.Queries()),
            Call call => call.Argument.Queries(),
            _ => [],
        };

    /// <summary>All names in it, in the order in which they are written.</summary>
    public IEnumerable<string> References() =>
        this switch
        {
            Reference reference => [reference.Name],
            Arithmetic arithmetic => arithmetic.Left.References().Concat(arithmetic.Right.References()),
            Call call => call.Argument.References(),
            _ => [],
        };

    /// <summary>True when this function is somewhere in it.</summary>
    public bool Uses(Function function) =>
        this switch
        {
            Arithmetic arithmetic => arithmetic.Left.Uses(function) || arithmetic.Right.Uses(function),
            Call call => call.Function == function || call.Argument.Uses(function),
            _ => false,
        };
}

/// <summary>An expression and what it was read from.</summary>
internal sealed record AskedExpression(string Text, Expression Expression);

/// <summary>The functions that are known, in Datadog's words with <c>_</c> between them.</summary>
internal enum Function
{
    /// <summary><c>default_zero(x)</c>: 0 where there is no value, and where there is nothing at all.</summary>
    DefaultZero,

    /// <summary><c>abs(x)</c></summary>
    Abs,

    /// <summary><c>exclude_null(x)</c>: no groups without a value of their tag.</summary>
    ExcludeNull,

    /// <summary><c>clamp_min(x, n)</c>: at least n.</summary>
    ClampMin,

    /// <summary><c>clamp_max(x, n)</c>: at most n.</summary>
    ClampMax,

    /// <summary><c>cutoff_min(x, n)</c>: no values under n.</summary>
    CutoffMin,

    /// <summary><c>cutoff_max(x, n)</c>: no values over n.</summary>
    CutoffMax,

    /// <summary><c>is_greater(x, n)</c>: 1 where it is, else 0.</summary>
    IsGreater,

    /// <summary><c>is_less(x, n)</c>: 1 where it is, else 0.</summary>
    IsLess,

    /// <summary><c>count_nonzero(x)</c>: of how many groups the value is not 0.</summary>
    CountNonzero,

    /// <summary><c>cumsum(x)</c>: the sum so far.</summary>
    Cumsum,

    /// <summary><c>timeshift(x, -n)</c>: as it was n seconds before.</summary>
    Timeshift,

    /// <summary><c>hour_before(x)</c></summary>
    HourBefore,

    /// <summary><c>day_before(x)</c></summary>
    DayBefore,

    /// <summary><c>week_before(x)</c></summary>
    WeekBefore,
}
