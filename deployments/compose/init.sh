#!/bin/sh
# Founds the cluster of compose.yaml, once: the authority in the volume `authority`, and in each
# process's own volume its certificate, its configuration and its passwords. The processes log JSON. Runs as root and gives each
# volume to the user of the process.
set -eu

dir=/cluster
coordinators="coordinator-1:7400,coordinator-2:7400,coordinator-3:7400"
http=0.0.0.0:8080
home=/var/lib/aureole

if [ -e "$dir/complete" ]; then
    echo "the cluster was founded before"
    exit 0
fi
if [ -e "$dir/ca.key" ]; then
    echo "the founding was interrupted: remove the volumes with 'docker compose down --volumes'" >&2
    exit 1
fi

# fresh FILE: a password, for the process that reads it.
fresh() { (umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' > "$1"); }

# told FILE TABLE LINE...: writes lines into a table that the file has already.
told() {
    file=$1 table=$2
    shift 2
    grep -qxF "[$table]" "$file" || { echo "$file has no [$table]" >&2; exit 1; }
    for line in "$@"; do sed -i "/^\\[$table\\]\$/a $line" "$file"; done
}

aureole cluster init --dir "$dir" --coordinators "$coordinators" --http "$http,$http,$http" --workers 2
archive=$dir/services/archive/password cache=$dir/services/cache/password
fresh "$archive"
fresh "$cache"
fresh "$dir/services/grafana/password"
printf 'requirepass %s\n' "$(cat "$cache")" > "$dir/services/cache/redis.conf"
chmod 600 "$dir/services/cache/redis.conf"

for number in 1 2; do
    gateway=$dir/gateway-$number
    aureole cluster certificate --dir "$dir" --role gateway --name "gateway-$number" --out "$gateway/tls"
    cp "$dir/admin/admin.hash" "$gateway/admin.hash"
    cp "$cache" "$gateway/cache.password"
    cat > "$gateway/node.toml" <<TOML
roles = ["gateway"]
[cluster]
coordinators = ["coordinator-1:7400", "coordinator-2:7400", "coordinator-3:7400"]
[http]
listen = "$http"
[access]
bootstrap_key_file = "$home/admin.hash"
[log]
format = "json"
[cache]
url = "redis://redis:6379"
password_file = "$home/cache.password"
TOML
done
for number in 1 2 3; do
    coordinator=$dir/coordinator-$number
    cp "$archive" "$coordinator/archive.password"
    cp "$cache" "$coordinator/cache.password"
    told "$coordinator/node.toml" archive "url = \"postgres://aureole@postgres:5432/aureole?sslmode=disable\"" \
        "password_file = \"$home/archive.password\""
    told "$coordinator/node.toml" cache "url = \"redis://redis:6379\"" "password_file = \"$home/cache.password\""
done
for process in coordinator-1 coordinator-2 coordinator-3 worker-1 worker-2; do
    sed -i 's/^format = "human"$/format = "json"/' "$dir/$process/node.toml"
done
for process in coordinator-1 coordinator-2 coordinator-3 gateway-1 gateway-2 worker-1 worker-2 admin; do
    chown -R 10001:10001 "$dir/$process"
done
chown -R 999:999 "$dir/services/archive" "$dir/services/cache"
chown -R 472:0 "$dir/services/grafana"
touch "$dir/complete"
