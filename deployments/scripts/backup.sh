#!/usr/bin/env bash
# Copies what a cluster must not lose: the folders of all its coordinators, while none of them goes on,
# and the history in PostgreSQL, if there is one.
#
#   deployments/scripts/backup.sh [HOW] OUT FOLDER...      such as OUT target/services/coordinator-{1,2,3}
#   deployments/scripts/backup.sh --part [HOW] OUT FOLDER  one machine's share: do the same on each, keep all
#
# A FOLDER may be NAME=FOLDER, where folders of several coordinators have one name. HOW is one of
#
#   (nothing)   the coordinators are stopped; a folder in use is refused
#   --running   those that run are paused (SIGSTOP) for as long as the copy takes, all before the first
#               is read: what is copied is then what the loss of power would have left, which a cluster
#               is made to survive. Linux only; not with --part: no machine may go on before the others
#               are copied
#   --paused    whoever calls has paused all of them, as by `docker compose pause`, and says so
#
# AUREOLE_ARCHIVE_URL            PostgreSQL, postgres://USER@HOST:PORT/DATABASE; default: no history is copied
# AUREOLE_ARCHIVE_PASSWORD_FILE  the file with its password
#
# OUT must not exist. It gets a file for each folder, archive.dump, and SHA256SUMS; whoever reads it has the
# keys of the cluster, of its log, and of inputs whose tasks had not ended. Left out is what is made again:
# compiled code and parameters. Ends with 0 when all is on disk, with 1 if not, with 2 if something is
# lacking or refused.
set -euo pipefail

refuse() { echo "$1" >&2; exit 2; }

part=no how=stopped
while [ $# -gt 0 ]; do
    case $1 in
        --part) part=yes ;;
        --running | --paused) how=${1#--} ;;
        --*) refuse "'$1' is no option; see the head of $0" ;;
        *) break ;;
    esac
    shift
done
[ $# -ge 2 ] || refuse "usage: $0 [--part] [--running | --paused] OUT FOLDER..."
[ "$part$how" != yesrunning ] || refuse "--running is for coordinators of one machine: with --part, stop all first"
out=$1
shift
for tool in tar flock sha256sum; do
    command -v "$tool" > /dev/null || refuse "$tool is missing: install it with the system's package manager"
done
[ -z "${AUREOLE_ARCHIVE_URL:-}" ] || command -v pg_dump > /dev/null || refuse "pg_dump is missing: install PostgreSQL's client"
[ ! -e "$out" ] || refuse "$out exists: name a new folder"

names=() folders=()
for given in "$@"; do
    folder=${given#*=}
    for inner in raft depot; do
        [ -d "$folder/$inner" ] || refuse "$folder is no folder of a coordinator: it lacks $inner"
    done
    folder=$(realpath "$folder")
    name=$(basename "$folder")
    case $given in *=*) name=${given%%=*} ;; esac
    names+=("$name") folders+=("$folder")
    if [ "$part" = no ] && [ -r "$folder/node.toml" ]; then
        members=$(awk '/^\[/ { here = $0 == "[cluster.members]" } here && / = / { n++ } END { print n + 0 }' "$folder/node.toml")
        [ "$members" -le $# ] \
            || refuse "$folder belongs to $members coordinators, and $# were named: copy all of them, or say --part on each machine"
    fi
done
[ "$(printf '%s\n' "${names[@]}" | sort -u | wc -l)" -eq $# ] || refuse "two folders have one name"

umask 077
mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$(dirname "$out")/.backup.XXXXXX")
paused=()
go_on() {
    [ ${#paused[@]} -eq 0 ] || kill -CONT "${paused[@]}" 2> /dev/null || true
    paused=()
}
trap 'go_on; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# holder FOLDER: the process whose folder it is: the one that holds the lock.
holder() {
    local pid inode
    inode=$(stat --format %i "$1/depot/lock")
    while read -r _ kind _ _ pid file _; do
        [ "$kind ${file##*:}" = "FLOCK $inode" ] || continue
        # An inode's number is of one file system only. A process that serves closes files while they
        # are listed; that one of them is gone says nothing of the others.
        if { readlink "/proc/$pid/fd/"* 2> /dev/null || true; } | grep -xF "$1/depot/lock" > /dev/null; then
            echo "$pid"
            return
        fi
    done < /proc/locks
    return 1
}

# stands PID: waits until no thread of a process runs any more.
stands() {
    for _ in $(seq 500); do
        grep -q '^State:[[:space:]]*[^Tt[:space:]]' "/proc/$1/task"/*/status || return 0
        sleep 0.01
    done
    return 1
}

since=$EPOCHREALTIME
for folder in "${folders[@]}"; do
    [ "$how" != paused ] || break
    # Held until the end, as a coordinator holds it: none starts while its folder is read.
    exec {lock}< "$folder/depot/lock"
    ! flock --nonblock "$lock" || continue
    [ "$how" = running ] || refuse "$folder is in use: stop its coordinator first, or say --running"
    pid=$(holder "$folder") || refuse "whoever uses $folder is not seen from here: pause it, and say --paused"
    paused+=("$pid")
    kill -STOP "$pid"
done
for pid in "${paused[@]}"; do
    stands "$pid" || refuse "the process $pid does not stand still"
done
for each in "${!names[@]}"; do
    file=$work/${names[each]}.tar
    tar --create --file "$file" --directory "${folders[each]}" --numeric-owner --anchored \
        --exclude=./code --exclude=./params --exclude=./pid --exclude=./log .
    echo "${names[each]}: $(stat --format %s "$file") bytes"
done
if [ ${#paused[@]} -gt 0 ]; then
    awk -v from="$since" -v to="$EPOCHREALTIME" -v n=${#paused[@]} \
        'BEGIN { printf "%d coordinators were paused for %.2f s\n", n, to - from }'
    go_on
fi
if [ -n "${AUREOLE_ARCHIVE_URL:-}" ]; then
    # After the coordinators were copied: what their ledgers had forgotten by then is in it.
    [ -z "${AUREOLE_ARCHIVE_PASSWORD_FILE:-}" ] || PGPASSWORD=$(cat "$AUREOLE_ARCHIVE_PASSWORD_FILE")
    [ -z "${PGPASSWORD:-}" ] || export PGPASSWORD
    pg_dump --dbname "$AUREOLE_ARCHIVE_URL" --format custom --no-owner --no-privileges --file "$work/archive.dump"
    echo "archive: $(stat --format %s "$work/archive.dump") bytes"
fi
(cd "$work" && shopt -s nullglob && sha256sum -- *.tar *.dump > SHA256SUMS)
sync "$work"/* "$work"
mv --no-target-directory "$work" "$out"
echo "$out is complete; it holds private keys"
