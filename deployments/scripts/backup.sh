#!/usr/bin/env bash
# Copies what a cluster must not lose: the folders of all its coordinators, while all of them are stopped,
# and the history in PostgreSQL, if there is one.
#
#   deployments/scripts/backup.sh OUT FOLDER...      such as OUT target/services/coordinator-{1,2,3}
#   deployments/scripts/backup.sh --part OUT FOLDER  one machine's share: do the same on each, and keep all
#
# AUREOLE_ARCHIVE_URL            PostgreSQL, postgres://USER@HOST:PORT/DATABASE; default: no history is copied
# AUREOLE_ARCHIVE_PASSWORD_FILE  the file with its password
#
# OUT must not exist. It gets a file for each folder, archive.dump, and SHA256SUMS; whoever reads it has the
# keys of the cluster, of its log, and of inputs whose tasks had not ended. Left out is what is made again:
# compiled code and parameters. A folder in use is refused: a copy of it would be torn. Ends with 0 when all
# is on disk, with 1 if not, with 2 if something is lacking or refused.
set -euo pipefail

refuse() { echo "$1" >&2; exit 2; }

part=no
if [ "${1:-}" = --part ]; then
    part=yes
    shift
fi
[ $# -ge 2 ] || refuse "usage: $0 [--part] OUT FOLDER..."
out=$1
shift
for tool in tar flock sha256sum; do
    command -v "$tool" > /dev/null || refuse "$tool is missing: install it with the system's package manager"
done
[ -z "${AUREOLE_ARCHIVE_URL:-}" ] || command -v pg_dump > /dev/null || refuse "pg_dump is missing: install PostgreSQL's client"
[ ! -e "$out" ] || refuse "$out exists: name a new folder"

names=()
for folder in "$@"; do
    for inner in raft depot; do
        [ -d "$folder/$inner" ] || refuse "$folder is no folder of a coordinator: it lacks $inner"
    done
    names+=("$(basename "$(realpath "$folder")")")
    if [ "$part" = no ] && [ -r "$folder/node.toml" ]; then
        members=$(awk '/^\[/ { here = $0 == "[cluster.members]" } here && / = / { n++ } END { print n + 0 }' "$folder/node.toml")
        [ "$members" -le $# ] || refuse "$folder belongs to $members coordinators, and $# were named: copy all of them, or say --part on each machine"
    fi
done
[ "$(printf '%s\n' "${names[@]}" | sort -u | wc -l)" -eq $# ] || refuse "two folders have one name"

umask 077
mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$(dirname "$out")/.backup.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Held until the end, as a coordinator holds it: none starts while its folder is read.
for folder in "$@"; do
    exec {lock}< "$folder/depot/lock"
    flock --nonblock "$lock" || refuse "$folder is in use: stop its coordinator first"
done
for folder in "$@"; do
    name=$(basename "$(realpath "$folder")")
    tar --create --file "$work/$name.tar" --directory "$folder" --numeric-owner --anchored \
        --exclude=./code --exclude=./params --exclude=./pid --exclude=./log .
    echo "$name: $(stat --format %s "$work/$name.tar") bytes"
done
if [ -n "${AUREOLE_ARCHIVE_URL:-}" ]; then
    # After the coordinators have stopped: what their ledgers have forgotten is in it.
    [ -z "${AUREOLE_ARCHIVE_PASSWORD_FILE:-}" ] || PGPASSWORD=$(cat "$AUREOLE_ARCHIVE_PASSWORD_FILE")
    [ -z "${PGPASSWORD:-}" ] || export PGPASSWORD
    pg_dump --dbname "$AUREOLE_ARCHIVE_URL" --format custom --no-owner --no-privileges --file "$work/archive.dump"
    echo "archive: $(stat --format %s "$work/archive.dump") bytes"
fi
(cd "$work" && shopt -s nullglob && sha256sum -- *.tar *.dump > SHA256SUMS)
sync "$work"/* "$work"
mv --no-target-directory "$work" "$out"
echo "$out is complete; it holds private keys"
