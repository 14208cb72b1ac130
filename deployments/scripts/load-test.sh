#!/usr/bin/env bash
# Submits proofs to a cluster, several at a time, and says how many it took and how long each was.
#
#   AUREOLE_KEY=aur_... deployments/scripts/load-test.sh [URL] [OPTION...]
#
#   --count N      submissions at the most (default 100, up to 100000)
#   --seconds N    ends then, whatever the count (default 60, up to 3600)
#   --parallel N   submissions under way at a time (default 4, up to 256)
#   --accepted     each counts when it is accepted (202), not when it is proved: then the queue grows
#   --remote       URL may be another machine's; without, only the loopback interface is asked
#
# URL, AUREOLE_KEY and AUREOLE_KEY_FILE as for test-services.sh; the role submitter will do. The plugin
# merkle must be there: test-services.sh uploads it. Each submission is a request of its own connection,
# and its latency is what curl measures from connecting to the last byte; starting curl costs the machine
# that submits a few milliseconds more, so on one machine the figures are lower bounds.
# Ends with 0 if none failed, with 1 if some did, with 2 if it lacks something.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
url=${AUREOLE_URL:-http://127.0.0.1:8080}
count=100 seconds=60 parallel=4 remote=no query='?wait=60s' good='^200$' what=proofs
key_file=${AUREOLE_KEY_FILE:-${AUREOLE_SERVICES:-$root/target/services}/admin/admin.key}

refuse() { echo "$1" >&2; exit 2; }

# number NAME VALUE MAX: checks that a value is one of 1 to MAX.
number() {
    if ! [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || [ "$2" -gt "$3" ]; then refuse "$1 must be 1 to $3, not '$2'"; fi
}

while [ $# -gt 0 ]; do
    case $1 in
        --count) number "$1" "${2:-}" 100000; count=$2; shift ;;
        --seconds) number "$1" "${2:-}" 3600; seconds=$2; shift ;;
        --parallel) number "$1" "${2:-}" 256; parallel=$2; shift ;;
        --accepted) query='?wait=0s' good='^20[02]$' what=submissions ;;
        --remote) remote=yes ;;
        http://* | https://*) url=$1 ;;
        *) refuse "'$1' is no option; see the head of $0" ;;
    esac
    shift
done
url=${url%/}
if [ "$remote" = no ] && ! [[ $url =~ ^https?://(localhost|127\.[0-9]+\.[0-9]+\.[0-9]+|\[::1\])(:[0-9]+)?$ ]]; then
    refuse "$url is not this machine's loopback interface; say --remote if you may load what is there"
fi
for tool in curl awk sort; do
    command -v "$tool" > /dev/null || refuse "$tool is missing: install it with the system's package manager"
done
key=${AUREOLE_KEY:-}
if [ -z "$key" ]; then
    [ -r "$key_file" ] || refuse "no key: set AUREOLE_KEY, or AUREOLE_KEY_FILE to a file with one; $key_file is missing"
    key=$(cat "$key_file")
fi

work=$(mktemp -d)
submitters=()
finish() {
    # Whoever is left when this ends early.
    [ ${#submitters[@]} -eq 0 ] || kill "${submitters[@]}" 2> /dev/null || true
    wait
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
# curl reads the header from a file: the list of processes shows no key.
(umask 077 && echo "authorization: Bearer $key" > "$work/header")
start=$EPOCHREALTIME
end=$((${start%.*} + seconds))

# submit NUMBER: every parallel-th submission, until all are made or the time is over.
submit() {
    local each left asks=
    trap '[ -z "$asks" ] || kill "$asks" 2> /dev/null; exit 130' TERM
    for ((each = $1; each <= count; each += parallel)); do
        left=$((end - ${EPOCHREALTIME%.*}))
        [ "$left" -gt 0 ] || break
        # A request that the end cuts off is a failure of nobody: it has a minute beyond.
        printf '{"leaves":["0x%064x","0x%064x"],"leaf_index":0}' "$each" "$((each + 1))" > "$work/input.$1"
        curl --silent --max-time $((left + 60)) --header "@$work/header" --header 'content-type: application/json' \
            --data "@$work/input.$1" --output /dev/null --write-out '%{http_code} %{time_total}\n' \
            "$url/api/v1/tasks/merkle$query" >> "$work/answers.$1" &
        asks=$!
        wait "$asks" || true
    done
}

echo "$url: up to $count $what, $parallel at a time, for at most $seconds s"
for ((each = 1; each <= parallel; each++)); do
    submit "$each" &
    submitters+=($!)
done
for each in "${submitters[@]}"; do wait "$each"; done
submitters=()
cat "$work"/answers.* 2> /dev/null > "$work/all" || true

took=$(awk -v from="$start" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.3f", to - from }')
awk -v good="$good" '$1 ~ good { print $2 }' "$work/all" | sort -n > "$work/latencies"
awk -v took="$took" -v what="$what" -v all="$(wc -l < "$work/all")" '
    { latency[NR] = $1 }
    # The smallest value that so many of a hundred do not exceed.
    function at(part, rank) { rank = int(NR * part); if (rank < NR * part) rank++; return latency[rank] * 1000 }
    END {
        printf "submissions  %d in %.1f s\n", all, took
        printf "throughput   %.2f %s/s\n", NR / took, what
        if (NR > 0) printf "latency      p50 %.1f ms   p99 %.1f ms   max %.1f ms\n", at(0.5), at(0.99), latency[NR] * 1000
        printf "failures     %d\n", all - NR
    }' "$work/latencies"
# What was answered in place of what was asked for; 000 is no answer.
awk -v good="$good" '$1 !~ good { count[$1]++ } END { for (status in count) printf "  status %s: %d\n", status, count[status] }' \
    "$work/all" | sort
awk -v good="$good" '$1 ~ good { n++ } END { exit !(NR > 0 && n == NR) }' "$work/all"
