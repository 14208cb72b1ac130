#!/usr/bin/env bash
# Stops what start-services.sh started. Running proofs are finished or handed back; the data stays.
#
#   deployments/scripts/stop-services.sh [PROCESS...]   only these, such as coordinator-1
#   deployments/scripts/stop-services.sh --remove       all, and the data, certificates and keys too
#
# AUREOLE_SERVICES   the folder that start-services.sh was given (default: target/services)
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
dir=${AUREOLE_SERVICES:-$root/target/services}
[ -e "$dir/founded" ] || { echo "$dir holds no cluster of start-services.sh" >&2; exit 2; }

ours() {
    # A process id may have gone to somebody else since.
    kill -0 "$1" 2> /dev/null && ps -o args= -p "$1" | grep -qF -- "--config $dir/"
}

killed=0 remove=no
if [ "${1:-}" = --remove ]; then
    remove=yes
    shift
fi
# Workers first, so that what they hand back is taken; then the door; then the coordinators.
[ $# -gt 0 ] || set -- worker-1 worker-2 gateway-1 coordinator-1 coordinator-2 coordinator-3
for process in "$@"; do
    file=$dir/$process/pid
    [ -e "$file" ] || continue
    pid=$(cat "$file")
    if ours "$pid"; then
        kill -TERM "$pid"
        for _ in $(seq 400); do
            ours "$pid" || break
            sleep 0.1
        done
        if ours "$pid"; then
            kill -KILL "$pid"
            killed=1
            echo "$process did not stop within 40 s and was killed" >&2
        else
            echo "$process stopped"
        fi
    else
        echo "$process did not run"
    fi
    rm -f "$file"
done
if [ "$remove" = yes ]; then
    rm -rf "$dir"
    echo "removed $dir"
fi
exit "$killed"
