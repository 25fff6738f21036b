#!/usr/bin/env bash
# Installs what the tests need when it is missing, builds, checks the formatting and runs every test.
# Closes with one line: N passed, N failed.
#
#   ./test.sh                 everything
#   ./test.sh NAME…           only the test projects whose name contains one of NAME (quicker)
#   ./test.sh --soak kill=N   kills the process N times instead of 30 (a thousand take about half an hour)
#   ./test.sh --soak day=N    plays a long day of N parts instead of 7 (three hundred take about an hour)
set -uo pipefail
cd "$(dirname "$0")"

step() { printf '\n== %s\n' "$*"; }
die() {
    printf '%s\n' "$*" >&2
    printf '0 passed, 1 failed\n'
    exit 1
}

names=()
while (($#)); do
    case $1 in
    --soak)
        [[ ${2:-} =~ ^(kill|day)=[1-9][0-9]*$ ]] || die "--soak takes kill=N or day=N, as in --soak kill=1000."
        soak=${2%=*}
        export "SOAK_${soak^^}=${2#*=}"
        shift 2
        ;;
    --help | -h)
        sed -n '2,9s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    -*) die "Unknown option $1: see ./test.sh --help." ;;
    *)
        names+=("$1")
        shift
        ;;
    esac
done

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
command -v dotnet >/dev/null || die "The .NET 10 SDK is missing: install it from https://dot.net and try again."

# Debian puts servers where an ordinary user's PATH does not look.
export PATH="$PATH:/usr/sbin:/sbin"
missing=()
command -v nats-server >/dev/null || missing+=(nats-server)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || missing+=(libfaketime)
if ((${#missing[@]})); then
    step "Installing ${missing[*]} (Debian packages)"
    sudo=()
    ((EUID == 0)) || sudo=(sudo)
    { "${sudo[@]}" apt-get update -qq && DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=120 \
        install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; } ||
        die "Could not install ${missing[*]}: install these packages by hand and try again."
fi

# OpenTelemetry's and Datadog's own senders for JavaScript; without node their tests are skipped.
foreign=tests/AgentlessDatadog.Sandbox.Tests/ForeignSenders
if command -v npm >/dev/null && [[ ! $foreign/node_modules/.package-lock.json -nt $foreign/package-lock.json ]]; then
    step "Installing foreign senders (npm)"
    npm ci --prefix "$foreign" --no-audit --no-fund --silent || printf 'Their tests are skipped.\n'
fi

step "Restoring (locked)"
dotnet tool restore >/dev/null || die "Could not restore the formatter."
dotnet restore --locked-mode -v quiet || die "Restore failed: a lock file does not match its project."

step "Checking the formatting"
dotnet csharpier check . || die "Run: dotnet csharpier format ."

step "Building"
dotnet build --no-restore -v quiet -clp:NoSummary || die "The build failed."

logs=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$logs"' EXIT
declare -A running

# Not dotnet test, which leaves a socket behind each time.
start() {
    dotnet "tests/$1/bin/Debug/net10.0/$1.dll" --ansi off --progress off --output Normal >"$logs/$1" 2>&1 &
    running[$1]=$!
}

passed=0 failed=0
finish() {
    local code ok bad
    wait "${running[$1]}"
    code=$?
    step "Tested $1"
    grep -vE '^\s*$' "$logs/$1"
    ok=$(awk '$1 == "succeeded:" { n = $2 } END { print n + 0 }' "$logs/$1")
    bad=$(awk '$1 == "failed:" { n = $2 } END { print n + 0 }' "$logs/$1")
    # A run that broke without counting a failure is one.
    ((code != 0 && bad == 0)) && bad=1
    ((ok + bad == 0)) && bad=1
    passed=$((passed + ok)) failed=$((failed + bad))
}

projects=()
# The first mostly waits, for the processes that it starts: beside it the others run one after another.
for project in tests/EndToEnd/EndToEnd.csproj tests/*/*.Tests.csproj; do
    name=$(basename "$project" .csproj)
    wanted=$((${#names[@]} == 0))
    for part in "${names[@]}"; do [[ $name == *"$part"* ]] && wanted=1; done
    ((wanted)) && projects+=("$name")
done
((${#projects[@]})) || die "No test project is called ${names[*]}."
step "Testing"
start "${projects[0]}"
for name in "${projects[@]:1}"; do
    start "$name"
    finish "$name"
done
finish "${projects[0]}"

printf '\n%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
