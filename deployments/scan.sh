#!/usr/bin/env bash
# Looks for misconfiguration with checkov: the image, what kustomize renders, Terraform, the workflows.
#
#   deployments/scan.sh
#
# What is skipped is skipped here, each with its reason.
set -euo pipefail

cd "$(dirname "$0")"
for tool in checkov kubectl; do
    command -v "$tool" > /dev/null || { echo "$tool is missing; checkov is on PyPI" >&2; exit 2; }
done

skips=(
    CKV_DOCKER_7  # the base without a tag is a stage of the same file
    CKV_DOCKER_2  # no HEALTHCHECK in the image: what is healthy depends on the role; compose and Kubernetes say it
)
rendered_skips=(
    CKV_K8S_43    # images by digest: the environment names its own image
    CKV_K8S_14    # likewise: tags
    CKV_K8S_15    # pulled when absent: a tag is a version, which never changes, and a node restarts without the registry
    CKV_K8S_8 CKV_K8S_9  # probes: a worker opens no port; its lease is its probe
    CKV_K8S_11    # CPU limits: throttling a prover, or an election, helps nobody; requests share the cores
)
terraform_skips=(
    CKV2_AWS_11   # flow logs: where they go, and for how long, is the account's to say
    CKV2_AWS_64   # the key's policy: the default one leaves it to the account's roles
    CKV_AWS_293 CKV_AWS_157 CKV2_AWS_50  # protection and a second machine of each: staging has none, prod has all
    CKV_AWS_18 CKV2_AWS_62  # the bucket's access log and events: where they go is the account's to say
    CKV_AWS_144   # a copy in another region: likewise
    CKV_AWS_394   # subnets keep their zones: see ignore_changes in modules/network
)

join() { local IFS=,; echo "$*"; }

quiet=(--quiet --compact --skip-download)
checkov "${quiet[@]}" --framework dockerfile --skip-check "$(join "${skips[@]}")" --file containers/Dockerfile
rendered=$(mktemp -d)
trap 'rm -rf "$rendered"' EXIT
kubectl kustomize kubernetes/prod > "$rendered/prod.yaml"
checkov "${quiet[@]}" --framework kubernetes --skip-check "$(join "${rendered_skips[@]}")" --directory "$rendered"
checkov "${quiet[@]}" --framework terraform --skip-check "$(join "${terraform_skips[@]}")" --directory terraform
checkov "${quiet[@]}" --framework github_actions --directory ../.github
