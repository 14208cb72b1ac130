#!/usr/bin/env bash
# Puts back what backup.sh copied: the folders of all coordinators, and the history in PostgreSQL.
#
#   deployments/scripts/restore.sh BACKUP PARENT     makes PARENT/coordinator-1 and its siblings
#   deployments/scripts/restore.sh --part BACKUP PARENT   one machine's share; do the same on each
#
# AUREOLE_ARCHIVE_URL, AUREOLE_ARCHIVE_PASSWORD_FILE   as for backup.sh; needed if BACKUP has a history
#
# A folder that exists is refused unless it is empty, as a new volume is: move it away first. All
# coordinators go back to the backup, none alone: one that is older than the others has forgotten what it
# voted for. What PostgreSQL has of the platform is replaced, in one transaction. Ends with 0 when all is
# there, with 1 if not, with 2 if it is refused.
set -euo pipefail

refuse() { echo "$1" >&2; exit 2; }

part=no
if [ "${1:-}" = --part ]; then
    part=yes
    shift
fi
[ $# -eq 2 ] || refuse "usage: $0 [--part] BACKUP PARENT"
backup=$(realpath "$1") parent=$2
for tool in tar sha256sum; do
    command -v "$tool" > /dev/null || refuse "$tool is missing: install it with the system's package manager"
done
[ -r "$backup/SHA256SUMS" ] || refuse "$backup is no backup: it lacks SHA256SUMS"
(cd "$backup" && sha256sum --check --strict --quiet SHA256SUMS) || refuse "$backup is damaged: nothing was put back"

shopt -s nullglob
files=("$backup"/*.tar)
[ ${#files[@]} -gt 0 ] || refuse "$backup has no coordinator"
for file in "${files[@]}"; do
    name=$(basename "$file" .tar)
    grep -qF "  $name.tar" "$backup/SHA256SUMS" || refuse "$name.tar is not in SHA256SUMS"
    if [ -e "$parent/$name" ] && ! { [ -d "$parent/$name" ] && [ -z "$(ls -A "$parent/$name")" ]; }; then
        refuse "$parent/$name exists: move it away"
    fi
done
if [ -e "$backup/archive.dump" ]; then
    [ -n "${AUREOLE_ARCHIVE_URL:-}" ] || refuse "the backup has a history: set AUREOLE_ARCHIVE_URL to where it goes"
    command -v pg_restore > /dev/null || refuse "pg_restore is missing: install PostgreSQL's client"
    [ -z "${AUREOLE_ARCHIVE_PASSWORD_FILE:-}" ] || PGPASSWORD=$(cat "$AUREOLE_ARCHIVE_PASSWORD_FILE")
    [ -z "${PGPASSWORD:-}" ] || export PGPASSWORD
fi

umask 077
mkdir -p "$parent"
work=$(mktemp -d "$parent/.restore.XXXXXX")
trap 'rm -rf "$work"' EXIT
for file in "${files[@]}"; do
    name=$(basename "$file" .tar)
    mkdir "$work/$name"
    tar --extract --file "$file" --directory "$work/$name" --numeric-owner --preserve-permissions
    if [ "$part" = no ] && [ -r "$work/$name/node.toml" ]; then
        members=$(awk '/^\[/ { here = $0 == "[cluster.members]" } here && / = / { n++ } END { print n + 0 }' "$work/$name/node.toml")
        [ "$members" -le ${#files[@]} ] || refuse "the backup has ${#files[@]} of $members coordinators: put back all, or say --part on each machine"
    fi
done
if [ -e "$backup/archive.dump" ]; then
    # History first: a ledger that is newer than its history would miss tasks; the other way is harmless.
    pg_restore --dbname "$AUREOLE_ARCHIVE_URL" --clean --if-exists --no-owner --no-privileges \
        --exit-on-error --single-transaction "$backup/archive.dump"
    echo "archive: put back"
fi
for file in "${files[@]}"; do
    name=$(basename "$file" .tar)
    if [ -d "$parent/$name" ]; then
        # A volume cannot be replaced, only filled.
        cp --archive --no-target-directory "$work/$name" "$parent/$name"
    else
        mv --no-target-directory "$work/$name" "$parent/$name"
    fi
    echo "$name: put back to $parent/$name"
done
sync
