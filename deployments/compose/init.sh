#!/bin/sh
# Founds the cluster of compose.yaml, once: the authority in the volume `authority`, and in each
# process's own volume its certificate, its configuration and its passwords. The processes log JSON. Runs as
# root and gives each volume to the user of the process.
#
#   docker compose run --rm init                      what `up` runs first
#   docker compose run --rm init renew PROCESS...     new certificates, such as of gateway-1, worker-1 or admin
#   docker compose run --rm init refill PROCESS       fills the empty volume of a process that lost it
#   docker compose run --rm init first-key            another first key of the administrator, for everybody
#
# Whom the last three concern takes it up when it is started again.
set -eu

dir=/cluster
coordinators="coordinator-1:7400,coordinator-2:7400,coordinator-3:7400"
http=0.0.0.0:8080
home=/var/lib/aureole

refuse() { echo "$1" >&2; exit 1; }

# fresh FILE: a password, for the process that reads it.
fresh() { (umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' > "$1"); }

# told FILE TABLE LINE...: writes lines into a table that the file has already.
told() {
    file=$1 table=$2
    shift 2
    grep -qxF "[$table]" "$file" || refuse "$file has no [$table]"
    for line in "$@"; do sed -i "/^\\[$table\\]\$/a $line" "$file"; done
}

# owned PROCESS...: gives the volumes to the user of the processes.
owned() { for process in "$@"; do chown -R 10001:10001 "$dir/$process"; done; }

# role PROCESS: what its certificate says that it is.
role() {
    case $1 in
        coordinator-[123] | gateway-[12] | worker-[12]) echo "${1%-*}" ;;
        admin) echo admin ;;
        *) refuse "'$1' is no process of this cluster" ;;
    esac
}

# certificate PROCESS
certificate() {
    role=$(role "$1")
    out=$dir/$1/tls
    [ "$1" != admin ] || out=$dir/admin
    aureole cluster certificate --dir "$dir" --role "$role" --name "$1" --out "$out"
    owned "$1"
}

# refill PROCESS: what a sibling has, under its own name. A coordinator waits to be added.
refill() {
    role=$(role "$1")
    [ "$role" != admin ] || refuse "the administrator's volume has the only copy of the first key: see first-key"
    [ -z "$(ls -A "$dir/$1")" ] || refuse "the volume of $1 is not empty"
    for sibling in "$role-1" "$role-2"; do
        [ "$sibling" = "$1" ] || break
    done
    for file in node.toml secret log.key admin.hash archive.password cache.password; do
        [ ! -e "$dir/$sibling/$file" ] || cp "$dir/$sibling/$file" "$dir/$1/$file"
    done
    sed -i "s|^data_dir = .*|data_dir = \"$dir/$1\"|" "$dir/$1/node.toml"
    case $role in
        coordinator) sed -i -e "s/^id = .*/id = ${1#*-}/" -e 's/^founding = .*/founding = "join"/' "$dir/$1/node.toml" ;;
        worker) sed -i "s/^name = .*/name = \"$1\"/" "$dir/$1/node.toml" ;;
    esac
    certificate "$1"
}

# The key for the administrator, its hash for every process with the gateway role.
first_key() {
    made=$(aureole --output json admin bootstrap-key)
    hash=$(printf '%s' "$made" | sed 's/.*"hash":"\([^"]*\)".*/\1/')
    (umask 077 && printf '%s' "$made" | sed 's/.*"key":"\([^"]*\)".*/\1/' | tr -d '\n' > "$dir/admin/admin.key")
    for place in admin gateway-1 gateway-2; do printf '%s' "$hash" > "$dir/$place/admin.hash"; done
    for number in 1 2 3; do
        sed -i "s|^bootstrap_key = .*|bootstrap_key = \"$hash\"|" "$dir/coordinator-$number/node.toml"
    done
    owned admin gateway-1 gateway-2 coordinator-1 coordinator-2 coordinator-3
    echo "start coordinators and gateways again, one after the other: from then on each takes the new key"
}

if [ $# -gt 0 ]; then
    [ -e "$dir/complete" ] || refuse "there is no cluster yet"
    verb=$1
    shift
    case $verb in
        renew) for process in "$@"; do certificate "$process"; done ;;
        refill) refill "${1:?which process}" ;;
        first-key) first_key ;;
        *) refuse "'$verb' is none of renew, refill, first-key" ;;
    esac
    exit 0
fi
if [ -e "$dir/complete" ]; then
    echo "the cluster was founded before"
    exit 0
fi
if [ -e "$dir/ca.key" ]; then
    refuse "the founding was interrupted: remove the volumes with 'docker compose down --volumes'"
fi

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
owned coordinator-1 coordinator-2 coordinator-3 gateway-1 gateway-2 worker-1 worker-2 admin
chown -R 999:999 "$dir/services/archive" "$dir/services/cache"
chown -R 472:0 "$dir/services/grafana"
touch "$dir/complete"
