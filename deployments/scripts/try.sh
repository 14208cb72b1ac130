#!/usr/bin/env bash
# Founds a cluster of processes in a folder of its own, proves, loses a coordinator's process, backs up
# while it runs, loses every folder, puts them back, and finds what was proved before. Takes everything
# down.
#
#   deployments/scripts/try.sh
#
# AUREOLE_BIN, AUREOLE_PLUGIN and AUREOLE_ARCHIVE_*, AUREOLE_CACHE_* as for start-services.sh and
# test-services.sh; AUREOLE_PORT (default 18180). Needs jq. What is in the database is replaced.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
export AUREOLE_SERVICES=$work/services AUREOLE_PORT=${AUREOLE_PORT:-18180}
url=http://127.0.0.1:$AUREOLE_PORT
folders=("$AUREOLE_SERVICES"/coordinator-{1,2,3})

down() {
    "$here/stop-services.sh" > /dev/null 2>&1 || true
    rm -rf "$work"
}
trap down EXIT

# said WHAT COMMAND...: it must refuse.
refused() {
    local what=$1
    shift
    if "$@" > "$work/said" 2>&1; then
        echo "FAIL $what was not refused" >&2
        exit 1
    fi
    echo "ok   $what is refused: $(tail -n 1 "$work/said")"
}

ask() { curl --silent --fail --max-time 30 --header "@$AUREOLE_SERVICES/admin/curl.header" "$url/api/v1/$1"; }

# Waits until nothing is under way any more.
finished() {
    for _ in $(seq 120); do
        [ "$(ask 'tasks?limit=100' | jq '[.tasks[] | select(.state == "queued" or .state == "running")] | length')" != 0 ] || return 0
        sleep 0.5
    done
    echo "FAIL tasks do not end" >&2
    exit 1
}

"$here/start-services.sh"
"$here/test-services.sh" "$url"
"$here/stop-services.sh" coordinator-2
"$here/test-services.sh" "$url" | tail -n 1
"$here/start-services.sh" > /dev/null
finished
ask 'tasks?limit=100' | jq --sort-keys '[.tasks[] | {id, state, plugin, circuit}] | sort_by(.id)' > "$work/before"
task=$(ask 'tasks?limit=100' | jq --raw-output '[.tasks[] | select(.kind == "prove" and .state == "done")][0].id')
digest=$(ask "tasks/$task/proof" | sha256sum)
refused "a copy of folders in use" "$here/backup.sh" "$work/backup" "${folders[@]}"
refused "a copy of two of three" "$here/backup.sh" --running "$work/backup" "${folders[@]:0:2}"
"$here/backup.sh" --running "$work/backup" "${folders[@]}"
"$here/test-services.sh" "$url" | tail -n 1

"$here/stop-services.sh" > /dev/null
"$here/backup.sh" "$work/stopped" "${folders[@]}"
refused "to put back over what is there" "$here/restore.sh" "$work/backup" "$AUREOLE_SERVICES"
rm -rf "${folders[@]}"
if [ -n "${AUREOLE_ARCHIVE_URL:-}" ]; then
    PGPASSWORD=$(cat "${AUREOLE_ARCHIVE_PASSWORD_FILE:-/dev/null}") \
        psql --quiet --no-psqlrc --dbname "$AUREOLE_ARCHIVE_URL" --command 'DROP TABLE tasks, _sqlx_migrations'
fi

cp -a "$work/backup" "$work/damaged"
printf x >> "$work/damaged/coordinator-2.tar"
refused "a damaged backup" "$here/restore.sh" "$work/damaged" "$AUREOLE_SERVICES"
[ ! -e "${folders[0]}" ]

"$here/restore.sh" "$work/backup" "$AUREOLE_SERVICES"
"$here/start-services.sh" > /dev/null
# Workers come back by themselves, and what a lost lease held is proved again.
finished
ask 'tasks?limit=100' | jq --sort-keys '[.tasks[] | {id, state, plugin, circuit}] | sort_by(.id)' > "$work/after"
diff "$work/before" "$work/after"
echo "ok   all $(jq length "$work/after") tasks are back"
[ "$(ask "tasks/$task/proof" | sha256sum)" = "$digest" ]
echo "ok   the proof of $task is the same"
"$here/test-services.sh" "$url"
