#!/bin/sh
# Measures the hot paths beside their peers; ratios are to the first row of each table. Takes about a minute.
# Arguments go to BenchmarkDotNet, as in: bench/run.sh --filter '*Flush*'
set -eu
cd "$(dirname "$0")/AgentlessDatadog.Benchmarks"
exec dotnet run --configuration Release -- "$@"
