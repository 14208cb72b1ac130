#!/bin/sh
# Founds the cluster of compose.yaml, once: the authority in the volume `authority`, and in each
# process's own volume its certificate and its configuration. Runs as root and gives each volume to
# the user of the processes.
set -eu

dir=/cluster
coordinators=coordinator-1:7400,coordinator-2:7400,coordinator-3:7400
http=0.0.0.0:8080

if [ -e "$dir/complete" ]; then
    echo "the cluster was founded before"
    exit 0
fi
if [ -e "$dir/ca.key" ]; then
    echo "the founding was interrupted: remove the volumes with 'docker compose down --volumes'" >&2
    exit 1
fi

aureole cluster init --dir "$dir" --coordinators "$coordinators" --http "$http,$http,$http" --workers 2
aureole cluster certificate --dir "$dir" --role gateway --name gateway-1 --out "$dir/gateway-1/tls"
cat > "$dir/gateway-1/node.toml" <<TOML
roles = ["gateway"]
[cluster]
coordinators = ["coordinator-1:7400", "coordinator-2:7400", "coordinator-3:7400"]
[http]
listen = "$http"
[access]
bootstrap_key = "$(cat "$dir/admin/admin.hash")"
TOML
for process in coordinator-1 coordinator-2 coordinator-3 gateway-1 worker-1 worker-2 admin; do
    chown -R 10001:10001 "$dir/$process"
done
touch "$dir/complete"
