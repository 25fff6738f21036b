#!/bin/sh
# Measures the hot paths beside their peers; ratios are to the first row of each table. Takes about a minute.
# Arguments go to BenchmarkDotNet, as in: bench/run.sh --filter '*Flush*'
# Others: bench/run.sh store [FOLDER] (what a disk acknowledges), bench/run.sh exporters (a span and a log entry beside
# OpenTelemetry's exporter; about six minutes).
set -eu
cd "$(dirname "$0")/AgentlessDatadog.Benchmarks"
exec dotnet run --configuration Release -- "$@"
