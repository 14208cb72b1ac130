#!/usr/bin/env bash
# Ten checks of a running cluster through its public API, as a client sees it: health, submission, status,
# proof, refusals and a little load.
#
#   AUREOLE_KEY=aur_... deployments/scripts/test-services.sh [URL]
#
# URL               default: $AUREOLE_URL, else http://127.0.0.1:8080
# AUREOLE_KEY       a key whose role is admin or author: it uploads and proves
# AUREOLE_KEY_FILE  a file with it, in its place; default: where start-services.sh leaves the first key
# AUREOLE_PLUGIN    the first-party plugin merkle; default: target/plugins/merkle.wasm, which
#                   `cargo xtask plugins` makes
#
# It uploads the plugin, proves, and has the proof verified. Ends with 0 if all ten passed, with 1 if not,
# with 2 if it lacks something.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
url=${1:-${AUREOLE_URL:-http://127.0.0.1:8080}}
plugin=${AUREOLE_PLUGIN:-$root/target/plugins/merkle.wasm}
key_file=${AUREOLE_KEY_FILE:-${AUREOLE_SERVICES:-$root/target/services}/admin/admin.key}
api=$url/api/v1
leaf0=0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef
leaf1=0xfedcba0987654321fedcba0987654321fedcba0987654321fedcba0987654321
# What the plugin's own native reference computes for these two leaves.
root_hash=0x3951a329b3f6d5900314b4cc2b0d9116f056cd247a3ab8bba94f20ed71e03e83
input="{\"leaves\":[\"$leaf0\",\"$leaf1\"],\"leaf_index\":0}"

for tool in curl jq sha256sum; do
    command -v "$tool" > /dev/null || { echo "$tool is missing: install it with the system's package manager" >&2; exit 2; }
done
key=${AUREOLE_KEY:-}
if [ -z "$key" ]; then
    [ -r "$key_file" ] || { echo "no key: set AUREOLE_KEY, or AUREOLE_KEY_FILE to a file with one; $key_file is missing" >&2; exit 2; }
    key=$(cat "$key_file")
fi
[ -f "$plugin" ] || { echo "$plugin is missing: run 'cargo xtask plugins', or set AUREOLE_PLUGIN" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# curl reads the header from a file: the list of processes shows no key.
(umask 077 && echo "authorization: Bearer $key" > "$work/header")
passed=0 number=0

# request NAME CURL-ARGUMENTS...: leaves the body in $work/NAME and prints the status.
request() {
    local name=$1
    shift
    # Status 000 when nobody answers: a check that fails, not this script.
    curl --silent --max-time 90 --header "@$work/header" --output "$work/$name" --write-out '%{http_code}' "$@" || true
}

# json NAME FILTER: what a body says, read with jq.
json() { jq --raw-output "$2" "$work/$1" 2> /dev/null; }

post() { request "$1" --header 'content-type: application/json' --data "@$work/$1.in" "${@:3}" "$api$2"; }

check() {
    number=$((number + 1))
    if "$2"; then
        passed=$((passed + 1))
        echo "ok   $number  $1"
    else
        echo "FAIL $number  $1"
        for body in "$work"/*; do
            case $body in *.in | */header | */begun) continue ;; esac
            [ ! "$body" -nt "$work/begun" ] || echo "        ${body##*/}: $(head -c 400 "$body" | tr -d '\0')"
        done
    fi
    touch "$work/begun"
}

healthy() {
    [ "$(request live "$url/health/live")" = 200 ] && [ "$(request ready "$url/health/ready")" = 200 ] \
        && [ "$(json ready .ready)" = true ]
}

refuses_strangers() {
    [ "$(curl --silent --max-time 90 --output "$work/stranger" --write-out '%{http_code}' "$api/plugins" || true)" = 401 ]
}

takes_a_plugin() {
    local status circuit
    status=$(request plugin --header 'content-type: application/wasm' --data-binary "@$plugin" "$api/plugins?wait=60s")
    [[ $status = 20[01] ]] && [ "$(json plugin .state)" = ready ] || return
    circuit=$(json plugin .default_circuit)
    [ "$(request circuit "$api/circuits/$circuit")" = 200 ] && [ "$(json circuit .state)" = ready ]
}

proves() {
    printf '%s' "$input" > "$work/task.in"
    [ "$(post task '/tasks/merkle?wait=60s')" = 200 ] && [ "$(json task .state)" = "done" ] \
        && [ "$(json task .public_inputs.root)" = "$root_hash" ]
}

# The status of a task, asked for until it ends, tells the stages and the same public input.
tells_the_status() {
    local id
    printf '%s' "$input" > "$work/queued.in"
    [[ $(post queued '/tasks/merkle?wait=0s' --header "idempotency-key: status-$RANDOM$RANDOM") = 20[02] ]] || return
    id=$(json queued .id)
    [ "$(request status "$api/tasks/$id?wait=60s")" = 200 ] && [ "$(json status .state)" = "done" ] \
        && [ "$(json status '.timings_ms.total != null')" = true ] && [ "$(json status .public_inputs.root)" = "$root_hash" ] \
        && [[ $(request events --header 'accept: text/event-stream' "$api/tasks/$id/events") = 200 ]] \
        && grep -q '"state":"done"' "$work/events"
}

serves_the_proof() {
    [ "$(request proof "$api/tasks/$(json task .id)/proof")" = 200 ] \
        && [ "$(sha256sum < "$work/proof" | cut -d ' ' -f 1)" = "$(json task .proof.digest)" ] \
        && [ "$(wc -c < "$work/proof")" -eq "$(json task .proof.bytes)" ]
}

# verdict NAME PUBLIC-ROOT: has the proof verified with that public input.
verdict() {
    jq --null-input --arg circuit "$(json task .circuit)" --arg root "$2" \
        --arg proof "$(base64 -w 0 "$work/proof" 2> /dev/null)" \
        '{circuit: $circuit, public_inputs: {root: $root}, proof: $proof}' > "$work/$1.in"
    [ "$(post "$1" /proofs/verify)" = 200 ] && json "$1" .valid
}

verifies() {
    [ "$(verdict valid "$root_hash")" = true ] && [ "$(verdict invalid "0x1${root_hash:3}")" = false ]
}

refuses_a_bad_input() {
    printf '{"leaves":["%s"],"leaf_index":3}' "$leaf0" > "$work/bad.in"
    [ "$(post bad '/tasks/merkle')" = 422 ] && [ "$(json bad .code)" = input.invalid ] \
        && [ "$(json bad .path)" = /leaf_index ]
}

counts_a_submission_once() {
    local once=check-$RANDOM$RANDOM$RANDOM
    printf '{"plugin":"merkle","input":%s}' "$input" | tee "$work/once.in" > "$work/twice.in"
    [[ $(post once /tasks --header "idempotency-key: $once") = 20[02] ]] \
        && [[ $(post twice /tasks --header "idempotency-key: $once") = 20[02] ]] \
        && [ "$(json once .id)" = "$(json twice .id)" ]
}

# Eight submissions at once, each for another statement, are all proved.
bears_load() {
    local each asks=()
    for each in {1..8}; do
        printf '{"leaves":["0x%064x","%s"],"leaf_index":1}' "$each" "$leaf1" > "$work/load$each.in"
        (post "load$each" '/tasks/merkle?wait=60s' > "$work/load$each.status") &
        asks+=($!)
    done
    wait "${asks[@]}"
    for each in {1..8}; do
        [ "$(cat "$work/load$each.status")" = 200 ] && [ "$(json "load$each" .state)" = "done" ] || return
    done
    [ "$(jq --raw-output .public_inputs.root "$work"/load[1-8] | sort -u | wc -l)" -eq 8 ]
}

touch "$work/begun"
echo "checking $url"
check "the process lives, and is ready" healthy
check "who has no key is refused" refuses_strangers
check "it takes a plugin, and the plugin's circuit is ready" takes_a_plugin
check "it proves, and the public input is right" proves
check "a task's status leads from the submission to the proof" tells_the_status
check "the proof it serves has the digest and length it told" serves_the_proof
check "the proof is valid, and for another statement it is not" verifies
check "an input that is no good is refused, with its place" refuses_a_bad_input
check "a submission made twice counts once" counts_a_submission_once
check "eight submissions at once are all proved" bears_load
echo "$passed of $number passed"
[ "$passed" -eq "$number" ]
