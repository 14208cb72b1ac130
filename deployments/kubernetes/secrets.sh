#!/usr/bin/env bash
# Prints the four secrets of the base (or of the Helm chart) from a folder of `aureole cluster init`.
#
#   aureole cluster init --dir D --coordinators \
#     aureole-coordinator-0.aureole-coordinator:7400,aureole-coordinator-1.aureole-coordinator:7400,aureole-coordinator-2.aureole-coordinator:7400
#   aureole cluster certificate --dir D --role gateway --name gateway --out D/gateway/tls
#   aureole cluster certificate --dir D --role worker --name worker --out D/worker/tls
#   (umask 077; mkdir -p D/services; openssl rand -hex 32 > D/services/archive.password; openssl rand -hex 32 > D/services/cache.password)
#   deployments/kubernetes/secrets.sh D NAMESPACE | kubectl apply -f -
#
# Servers that exist have their passwords: write those into the two files, and into D/services/archive.ca.pem
# the authority of PostgreSQL's certificate. `cache.password` may be missing where there is no Redis, both
# where there is no PostgreSQL either.
#
# The authority's key, D/ca.key, is not among them: keep it, and keep it away from the cluster.
set -euo pipefail

if [ $# -ne 2 ]; then
    echo "usage: $0 FOLDER NAMESPACE" >&2
    exit 2
fi
dir=$1 namespace=$2
command -v kubectl > /dev/null || { echo "kubectl is missing" >&2; exit 2; }

secret() { kubectl create secret generic "$1" --namespace "$namespace" --dry-run=client --output yaml "${@:2}"; }

identity() {
    local file
    for file in ca.pem node.pem node.key; do
        [ -r "$2/$file" ] || { echo "$2/$file is missing: make it as the head of this script says" >&2; exit 1; }
        files+=("--from-file=$1$file=$2/$file")
    done
}

files=()
for number in 1 2 3 4 5 6 7; do
    home=$dir/coordinator-$number
    [ -d "$home" ] || break
    identity "aureole-coordinator-$((number - 1))." "$home/tls"
    files+=("--from-file=aureole-coordinator-$((number - 1)).secret=$home/secret")
    files+=("--from-file=aureole-coordinator-$((number - 1)).log.key=$home/log.key")
done
for file in "$dir/admin/admin.hash" "$dir"/coordinator-*/log.key; do
    [ -r "$file" ] || { echo "$file is missing: was it made by an older 'aureole cluster init'?" >&2; exit 1; }
done
[ ${#files[@]} -gt 0 ] || { echo "$dir has no coordinator-1: is it a folder of 'aureole cluster init'?" >&2; exit 1; }
files+=("--from-file=admin.hash=$dir/admin/admin.hash")
secret aureole-coordinator "${files[@]}"
for role in gateway worker; do
    files=()
    identity "" "$dir/$role/tls"
    [ "$role" = worker ] || files+=("--from-file=admin.hash=$dir/admin/admin.hash")
    echo "---"
    secret "aureole-$role" "${files[@]}"
done
files=()
for file in archive.password cache.password archive.ca.pem; do
    [ ! -r "$dir/services/$file" ] || files+=("--from-file=$file=$dir/services/$file")
done
if [ ${#files[@]} -gt 0 ]; then
    echo "---"
    secret aureole-services "${files[@]}"
else
    echo "no $dir/services: the cluster gets no secret aureole-services, which PostgreSQL and Redis need" >&2
fi
