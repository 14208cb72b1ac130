#!/usr/bin/env bash
# Starts a cluster of real processes on this machine: three coordinators that also serve the REST API,
# a gateway, two workers, all with certificates. Started again, it goes on with the data it had.
#
#   deployments/scripts/start-services.sh
#
# AUREOLE_BIN        the binary (default: target/release/aureole, else target/debug/aureole)
# AUREOLE_SERVICES   folder of everything (default: target/services)
# AUREOLE_PORT       the gateway's port (default 8080), when the cluster is founded; the twelve after it are
#                    taken too: three for the coordinators' REST API, three internal ones, and six where
#                    coordinator-1, -2, -3, gateway-1, worker-1 and worker-2 answer /metrics
# AUREOLE_ARCHIVE_URL, AUREOLE_ARCHIVE_PASSWORD_FILE   PostgreSQL for history, when the cluster is founded
# AUREOLE_CACHE_URL, AUREOLE_CACHE_PASSWORD_FILE       Redis, likewise
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
dir=${AUREOLE_SERVICES:-$root/target/services}
port=${AUREOLE_PORT:-8080}
bin=${AUREOLE_BIN:-}
for built in "$root/target/release/aureole" "$root/target/debug/aureole"; do
    [ -n "$bin" ] || [ ! -x "$built" ] || bin=$built
done
[ -n "$bin" ] || { echo "no binary: run 'cargo build --release -p aureole-cli', or set AUREOLE_BIN" >&2; exit 2; }
command -v curl > /dev/null || { echo "curl is missing: install it with the system's package manager" >&2; exit 2; }

ours() {
    # A process id may have gone to somebody else since.
    kill -0 "$1" 2> /dev/null && ps -o args= -p "$1" | grep -qF -- "--config $dir/"
}

# told FILE TABLE URL PASSWORD_FILE: writes a service's address into a table that the file has already.
told() {
    [ -n "$3" ] || return 0
    grep -qxF "[$2]" "$1" || { echo "$1 has no [$2]: the binary is too old for it" >&2; exit 1; }
    local lines="url = \"$3\""
    [ -z "$4" ] || lines+="\\npassword_file = \"$4\""
    sed -i "/^\\[$2\\]\$/a $lines" "$1"
}

if [ ! -e "$dir/founded" ]; then
    if [ -e "$dir/ca.key" ]; then
        echo "the founding in $dir was interrupted: remove that folder" >&2
        exit 1
    fi
    http="127.0.0.1:$((port + 1)),127.0.0.1:$((port + 2)),127.0.0.1:$((port + 3))"
    internal="127.0.0.1:$((port + 4)),127.0.0.1:$((port + 5)),127.0.0.1:$((port + 6))"
    "$bin" cluster init --dir "$dir" --coordinators "$internal" --http "$http" --workers 2 > /dev/null
    "$bin" cluster certificate --dir "$dir" --role gateway --name gateway-1 --out "$dir/gateway-1/tls" > /dev/null
    cat > "$dir/gateway-1/node.toml" <<TOML
roles = ["gateway"]
data_dir = "$dir/gateway-1"
[cluster]
coordinators = ["${internal//,/\", \"}"]
[http]
listen = "127.0.0.1:$port"
[access]
bootstrap_key_file = "$dir/admin/admin.hash"
TOML
    [ -z "${AUREOLE_CACHE_URL:-}" ] || echo "[cache]" >> "$dir/gateway-1/node.toml"
    for process in coordinator-1 coordinator-2 coordinator-3 gateway-1; do
        config=$dir/$process/node.toml
        told "$config" cache "${AUREOLE_CACHE_URL:-}" "${AUREOLE_CACHE_PASSWORD_FILE:-}"
        [ "$process" = gateway-1 ] || told "$config" archive "${AUREOLE_ARCHIVE_URL:-}" "${AUREOLE_ARCHIVE_PASSWORD_FILE:-}"
    done
    echo "$port" > "$dir/port"
    touch "$dir/founded"
fi
port=$(cat "$dir/port")
# curl reads the header from a file: the list of processes shows no key.
(umask 077 && echo "authorization: Bearer $(cat "$dir/admin/admin.key")" > "$dir/admin/curl.header")

metrics=$((port + 6))
for process in coordinator-1 coordinator-2 coordinator-3 gateway-1 worker-1 worker-2; do
    home=$dir/$process
    metrics=$((metrics + 1))
    if [ -e "$home/pid" ] && ours "$(cat "$home/pid")"; then
        echo "$process runs already"
        continue
    fi
    setsid nohup "$bin" serve --config "$home/node.toml" --params-dir "$dir/params" \
        --metrics-listen "127.0.0.1:$metrics" \
        >> "$home/log" 2>&1 < /dev/null &
    echo $! > "$home/pid"
    echo "$process started, process $(cat "$home/pid"), log in $home/log"
done

# The coordinators have to find each other first.
for _ in $(seq 300); do
    # A read that a majority confirms.
    if curl --silent --fail --max-time 10 --output /dev/null --header "@$dir/admin/curl.header" "http://127.0.0.1:$port/api/v1/plugins"; then
        echo "the cluster answers at http://127.0.0.1:$port"
        echo "key: $dir/admin/admin.key, for deployments/scripts/test-services.sh http://127.0.0.1:$port"
        echo "figures: http://127.0.0.1:$((port + 7))/metrics to $((port + 12)), for deployments/monitoring/prometheus.yml"
        echo "status: $bin cluster status --coordinator 127.0.0.1:$((port + 4)) --admin $dir/admin"
        exit 0
    fi
    sleep 0.5
done
echo "the cluster does not answer at http://127.0.0.1:$port; see the logs in $dir/*/log" >&2
exit 1
