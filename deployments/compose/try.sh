#!/usr/bin/env bash
# Brings the cluster of compose.yaml up, proves, kills the coordinator that leads, proves again, starts
# it again, proves once more through the other gateway, and takes everything down, volumes included.
#
#   deployments/compose/try.sh
#
# Needs the image (AUREOLE_IMAGE, default aureole), jq, and what test-services.sh needs. The project is
# named aureole-try, so that a cluster that stands beside it keeps its volumes.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
export AUREOLE_LISTEN=${AUREOLE_LISTEN:-127.0.0.1:18080}
export AUREOLE_LISTEN_2=${AUREOLE_LISTEN_2:-127.0.0.1:18081}
if docker compose version > /dev/null 2>&1; then
    compose=(docker compose)
elif command -v docker-compose > /dev/null; then
    compose=(docker-compose)
else
    echo "docker compose is missing: install the compose plugin of docker" >&2
    exit 2
fi
compose+=(--project-name aureole-try --file "$here/compose.yaml")

down() { "${compose[@]}" --progress quiet --profile admin down --volumes --timeout 40; }
trap down EXIT

leader() {
    local first=$1
    "${compose[@]}" --progress quiet run --rm --no-TTY --env "AUREOLE_COORDINATOR=coordinator-$first:7400" \
        admin --output json status | jq --exit-status .leader
}

key=$(mktemp)
trap 'down; rm -f "$key"' EXIT
try() {
    local url=http://${1:-$AUREOLE_LISTEN}
    # An election takes a second or two.
    for _ in $(seq 60); do
        ! curl --silent --fail --max-time 5 --output /dev/null "$url/health/ready" || break
        sleep 0.5
    done
    AUREOLE_KEY_FILE=$key "$here/../scripts/test-services.sh" "$url"
}

# The processes and what they lean on; what only looks at them needs more images, and nothing needs it.
"${compose[@]}" --progress quiet up --detach --wait --wait-timeout 300 \
    coordinator-1 coordinator-2 coordinator-3 gateway-1 gateway-2 worker-1 worker-2 postgres redis
"${compose[@]}" --progress quiet run --rm --no-TTY --entrypoint cat admin /admin/admin.key > "$key"
try
lost=$(leader 1)
echo "coordinator-$lost leads, and is killed"
"${compose[@]}" --progress quiet kill "coordinator-$lost"
try
other=$((lost % 3 + 1))
echo "coordinator-$(leader "$other") leads now"
"${compose[@]}" --progress quiet start "coordinator-$lost"
for _ in $(seq 60); do
    "${compose[@]}" ps "coordinator-$lost" --format json | jq --exit-status '.Health == "healthy"' > /dev/null && break
    sleep 1
done
try "$AUREOLE_LISTEN_2"
"${compose[@]}" --progress quiet run --rm --no-TTY admin status
"${compose[@]}" ps --format 'table {{.Service}}\t{{.Status}}'
