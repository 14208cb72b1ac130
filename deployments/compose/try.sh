#!/usr/bin/env bash
# Brings the cluster of compose.yaml up, proves, kills the coordinator that leads, proves again, starts
# it again, proves once more through the other gateway, and takes everything down, volumes included.
#
#   deployments/compose/try.sh [--backup] [--watch]
#
#   --backup   then also copies all coordinators and PostgreSQL as the handbook says, proves something more,
#              empties every volume of them, puts the copy back, and finds the tasks and a proof of then
#   --watch    brings the profiles watch and logs up too, and asks Prometheus for its targets, Grafana for
#              the dashboards, Jaeger for a trace and Loki for a line; takes their images
#
# Needs the image (AUREOLE_IMAGE, default aureole), jq, and what test-services.sh needs. The project is
# named aureole-try, so that a cluster that stands beside it keeps its volumes.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
scripts=$(cd "$here/../scripts" && pwd)
backup=no watch=no
for argument in "$@"; do
    case $argument in
        --backup) backup=yes ;;
        --watch) watch=yes ;;
        *) echo "'$argument' is no option; see the head of $0" >&2; exit 2 ;;
    esac
done
export AUREOLE_LISTEN=${AUREOLE_LISTEN:-127.0.0.1:18080}
export AUREOLE_LISTEN_2=${AUREOLE_LISTEN_2:-127.0.0.1:18081}
export AUREOLE_PROMETHEUS_LISTEN=${AUREOLE_PROMETHEUS_LISTEN:-127.0.0.1:19090}
export AUREOLE_GRAFANA_LISTEN=${AUREOLE_GRAFANA_LISTEN:-127.0.0.1:13000}
export AUREOLE_JAEGER_LISTEN=${AUREOLE_JAEGER_LISTEN:-127.0.0.1:26686}
if docker compose version > /dev/null 2>&1; then
    compose=(docker compose)
elif command -v docker-compose > /dev/null; then
    compose=(docker-compose)
else
    echo "docker compose is missing: install the compose plugin of docker" >&2
    exit 2
fi
project=aureole-try
compose+=(--project-name "$project" --file "$here/compose.yaml")
# The processes and what they lean on; what only looks at them needs more images, and nothing needs it.
processes=(coordinator-1 coordinator-2 coordinator-3 gateway-1 gateway-2 worker-1 worker-2 postgres redis)
coordinators=(coordinator-1 coordinator-2 coordinator-3)
watchers=(prometheus grafana collector jaeger log-collector loki)

work=$(mktemp -d)
key=$work/key
down() {
    # What a container wrote into the copy's folder is root's.
    [ ! -d "$work/backups" ] || tool -c 'find /backups -mindepth 1 -delete' || true
    "${compose[@]}" --progress quiet --profile admin --profile watch --profile logs down --volumes --timeout 40
    rm -rf "$work"
}
trap down EXIT

leader() {
    local first=$1
    "${compose[@]}" --progress quiet run --rm --no-TTY --env "AUREOLE_COORDINATOR=coordinator-$first:7400" \
        admin --output json status | jq --exit-status .leader
}

try() {
    local url=http://${1:-$AUREOLE_LISTEN}
    # An election takes a second or two.
    for _ in $(seq 60); do
        ! curl --silent --fail --max-time 5 --output /dev/null "$url/health/ready" || break
        sleep 0.5
    done
    AUREOLE_KEY_FILE=$key "$scripts/test-services.sh" "$url"
}

# tool COMMAND...: bash in a container that sees the coordinators' volumes, the scripts and the copies.
tool() {
    local volumes=() each
    for each in "${coordinators[@]}"; do volumes+=(--volume "${project}_$each:/c/$each"); done
    docker run --rm --user 0:0 --network none --entrypoint bash "${volumes[@]}" --volume "$scripts:/scripts:ro" \
        --volume "$work/backups:/backups" "${AUREOLE_IMAGE:-aureole}" "$@"
}

ask() { curl --silent --fail --max-time 30 --header "@$work/header" "http://$AUREOLE_LISTEN/api/v1/$1"; }

# The tasks, when none is under way any more.
tasks() {
    for _ in $(seq 120); do
        ! ask 'tasks?limit=100' > "$work/tasks" \
            || [ "$(jq '[.tasks[] | select(.state == "queued" or .state == "running")] | length' "$work/tasks")" != 0 ] || break
        sleep 0.5
    done
    jq --sort-keys '[.tasks[] | {id, state, plugin, circuit}] | sort_by(.id)' "$work/tasks"
}

# copied: a copy, a loss of everything, and the way back.
copied() {
    local task digest
    (umask 077 && echo "authorization: Bearer $(cat "$key")" > "$work/header")
    mkdir "$work/backups"
    tasks > "$work/before"
    task=$(jq --raw-output '[.tasks[] | select(.kind == "prove" and .state == "done")][0].id' "$work/tasks")
    digest=$(ask "tasks/$task/proof" | sha256sum)
    "${compose[@]}" --progress quiet pause "${coordinators[@]}"
    tool /scripts/backup.sh --paused /backups/1 "${coordinators[@]/#//c/}"
    "${compose[@]}" --progress quiet unpause "${coordinators[@]}"
    (umask 077; "${compose[@]}" exec --no-TTY postgres pg_dump --username aureole --format custom aureole > "$work/history.dump")
    # What comes after the copy is lost with the rest.
    try | tail -n 1
    "${compose[@]}" --progress quiet stop
    "${compose[@]}" --progress quiet up --detach --no-deps --wait postgres
    tool -c 'find /c/*/ -mindepth 1 -delete'
    tool /scripts/restore.sh /backups/1 /c
    "${compose[@]}" exec --no-TTY postgres pg_restore --username aureole --dbname aureole --clean --if-exists \
        --single-transaction < "$work/history.dump"
    "${compose[@]}" --progress quiet up --detach --wait --wait-timeout 300 "${processes[@]}"
    tasks > "$work/after"
    diff "$work/before" "$work/after"
    [ "$(ask "tasks/$task/proof" | sha256sum)" = "$digest" ]
    echo "ok   all $(jq length "$work/after") tasks are back, and the proof of $task is the same"
    try
}

# told WHAT COMMAND...: waits up to two minutes until a command ends well.
told() {
    local what=$1
    shift
    for _ in $(seq 120); do
        if "$@" > "$work/said" 2>&1; then
            echo "ok   $what"
            return
        fi
        sleep 1
    done
    echo "FAIL $what" >&2
    tail -c 2000 "$work/said" >&2
    exit 1
}

# answers FILTER CURL-ARGUMENTS...: whether jq finds in an answer what it should.
answers() {
    curl --silent --show-error --fail --max-time 10 --output "$work/answer" "${@:2}" || return
    jq --exit-status "$1" "$work/answer" > /dev/null || { cat "$work/answer"; return 1; }
}

# The names that the files give the dashboards, as Grafana is to list them.
listed() {
    answers length --config "$work/grafana" "http://$AUREOLE_GRAFANA_LISTEN/api/search?type=dash-db" || return
    diff <(jq --raw-output .title "$here"/../monitoring/dashboards/*.json | sort) \
        <(jq --raw-output '.[].title' "$work/answer" | sort)
}

watched() {
    # curl reads it from a file: the list of processes shows no password.
    (umask 077 && printf 'user = "admin:%s"\n' \
        "$("${compose[@]}" --profile watch exec --no-TTY grafana cat /run/grafana/password)" > "$work/grafana")
    told "Prometheus collects all seven processes" answers \
        '[.data.activeTargets[] | select(.labels.job == "aureole")] | length == 7 and all(.health == "up")' \
        "http://$AUREOLE_PROMETHEUS_LISTEN/api/v1/targets"
    told "Prometheus has the alerts" answers '[.data.groups[].rules[] | select(.health == "ok")] | length > 10' \
        "http://$AUREOLE_PROMETHEUS_LISTEN/api/v1/rules"
    told "Grafana lists the dashboards" listed
    told "Jaeger has a trace" answers '.data | length > 0' \
        "http://$AUREOLE_JAEGER_LISTEN/api/traces?service=aureole&limit=1"
    # Loki is reached from inside only: Grafana asks it.
    told "Loki has a line of a coordinator" answers '.data.result | length > 0' --config "$work/grafana" --get \
        --data-urlencode 'query={service_name=~"aureole-try-coordinator-.+"}' --data limit=1 \
        "http://$AUREOLE_GRAFANA_LISTEN/api/datasources/proxy/uid/loki/loki/api/v1/query_range"
}

if [ "$watch" = yes ]; then
    "${compose[@]}" --progress quiet --profile watch --profile logs up --detach --wait --wait-timeout 600 "${watchers[@]}"
fi
"${compose[@]}" --progress quiet up --detach --wait --wait-timeout 300 "${processes[@]}"
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
[ "$watch" = no ] || watched
[ "$backup" = no ] || copied
