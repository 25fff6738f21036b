using FsCheck.Xunit;
using Shouldly;
using StreamSpace.Platform.Sources.Kubernetes;
using Xunit;

namespace StreamSpace.Platform.Tests.Kubernetes;

public class QuantityTests
{
    [Theory]
    [InlineData("250m", 0.25)]
    [InlineData("1234567n", 0.001234567)]
    [InlineData("17u", 0.000017)]
    [InlineData("2", 2)]
    [InlineData("0", 0)]
    [InlineData("1.5Gi", 1610612736)]
    [InlineData("512Mi", 536870912)]
    [InlineData("131072Ki", 134217728)]
    [InlineData("1e3", 1000)]
    [InlineData("12E", 12e18)]
    [InlineData("1k", 1000)]
    [InlineData("1Ei", 1152921504606846976)]
    [InlineData("+.5", 0.5)]
    public void AQuantityIsReadInItsBaseUnit(string text, double value) =>
        Quantity.Read(text)!.Value.ShouldBe(value, value * 1e-12);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Mi")]
    [InlineData("-1")]
    [InlineData("1 Gi")]
    [InlineData("1K")]
    [InlineData("1e999999999")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("1,000")]
    [InlineData("99999999999999999999999999999999999999999999999999999999999999999")]
    public void WhatIsNoQuantityIsNull(string? text) => Quantity.Read(text).ShouldBeNull();

    [Property]
    public void NoTextBreaksIt(string? text) => Quantity.Read(text).GetValueOrDefault().ShouldBeGreaterThanOrEqualTo(0);
}
