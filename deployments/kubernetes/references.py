#!/usr/bin/env python3
"""Checks what no schema does in rendered objects: that they mean each other.

    deployments/kubernetes/references.py RENDERED.yaml [BUILT-IN.yaml]

Autoscalers mean something that scales, selectors of services, budgets and policies pods that exist, and
ports of services and of what is collected ports of those pods; every container is confined. Writes the
objects of Kubernetes itself to the second file, for a validator that knows no others, and refuses kinds
of others but those it knows. Ends with 1 if something is wrong. Needs PyYAML.
"""

import sys

import yaml

# Kinds that are not Kubernetes' own.
CUSTOM = {("monitoring.coreos.com/v1", "PodMonitor"), ("monitoring.coreos.com/v1", "PrometheusRule")}
ENDPOINT = {"port", "path", "interval", "scrapeTimeout"}


def selects(selector, labels):
    """Whether a label selector takes these labels."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for rule in selector.get("matchExpressions", []):
        if rule["operator"] != "In":
            raise ValueError(f"an operator that is not known here: {rule['operator']}")
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return True


def ports_of(pod):
    """Names and numbers of a pod's ports."""
    for container in pod["spec"]["containers"]:
        for port in container.get("ports", []):
            yield port["name"]
            yield port["containerPort"]


def unconfined(name, pod):
    """Yields what a pod's containers may that they should not."""
    spec = pod["spec"]
    context = spec.get("securityContext", {})
    if not context.get("runAsNonRoot") or context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield f"{name}: runs as root, or without seccomp"
    if spec.get("automountServiceAccountToken") is not False:
        yield f"{name}: has a token of the Kubernetes API"
    for container in spec["containers"]:
        own = container.get("securityContext", {})
        confined = (
            own.get("allowPrivilegeEscalation") is False
            and own.get("readOnlyRootFilesystem") is True
            and own.get("capabilities") == {"drop": ["ALL"]}
        )
        if not confined or "memory" not in container.get("resources", {}).get("limits", {}):
            yield f"{name}: container {container['name']} is not confined"


def wrong(objects):
    """Yields what is wrong with the objects together."""
    pods = {}
    for item in objects:
        if item["kind"] in ("Deployment", "StatefulSet"):
            pods[item["kind"], item["metadata"]["name"]] = item["spec"]["template"]
    labels = [pod["metadata"]["labels"] for pod in pods.values()]
    for name, pod in pods.items():
        yield from unconfined("/".join(name), pod)
        if not any(selects(policy["spec"]["podSelector"], pod["metadata"]["labels"])
                   and {"Ingress", "Egress"} == set(policy["spec"]["policyTypes"])
                   for policy in objects if policy["kind"] == "NetworkPolicy"):
            yield f"{'/'.join(name)}: no policy closes it"
        if name[1] != "aureole-postgres" and name[1] != "aureole-redis" and not any(
                selects(budget["spec"]["selector"], pod["metadata"]["labels"])
                for budget in objects if budget["kind"] == "PodDisruptionBudget"):
            yield f"{'/'.join(name)}: no budget keeps it"
    for item in objects:
        name, spec = f"{item['kind']}/{item['metadata']['name']}", item.get("spec", {})
        if item["kind"] == "HorizontalPodAutoscaler":
            target = spec["scaleTargetRef"]
            if (target["kind"], target["name"]) not in pods:
                yield f"{name}: scales {target['name']}, which is not there"
        elif item["kind"] == "PodDisruptionBudget":
            if not any(selects(spec["selector"], each) for each in labels):
                yield f"{name}: means no pod"
        elif item["kind"] == "NetworkPolicy":
            if not any(selects(spec["podSelector"], each) for each in labels):
                yield f"{name}: means no pod"
        elif item["kind"] == "Service":
            meant = [pod for pod in pods.values() if selects({"matchLabels": spec["selector"]}, pod["metadata"]["labels"])]
            if not meant:
                yield f"{name}: means no pod"
            for port in spec["ports"]:
                if not all(port["targetPort"] in ports_of(pod) for pod in meant):
                    yield f"{name}: its pods have no port {port['targetPort']}"
        elif item["kind"] == "PodMonitor":
            meant = [pod for pod in pods.values() if selects(spec["selector"], pod["metadata"]["labels"])]
            if not meant:
                yield f"{name}: means no pod"
            for endpoint in spec["podMetricsEndpoints"]:
                if endpoint.keys() - ENDPOINT:
                    yield f"{name}: {sorted(endpoint.keys() - ENDPOINT)} are not known here"
                if not all(endpoint["port"] in ports_of(pod) for pod in meant):
                    yield f"{name}: its pods have no port {endpoint['port']}"


def main():
    """Checks the file of the command line."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        objects = [item for item in yaml.safe_load_all(file) if item]
    own, found = [], []
    for item in objects:
        version = item["apiVersion"]
        if "." not in version.split("/", maxsplit=1)[0] or version.split("/", maxsplit=1)[0].endswith(".k8s.io"):
            own.append(item)
        elif (version, item["kind"]) not in CUSTOM:
            found.append(f"{version} {item['kind']} is no kind that is known here")
    if len(sys.argv) == 3:
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            yaml.safe_dump_all(own, file)
    found += wrong(objects)
    for line in found:
        print(line)
    if found or not objects:
        sys.exit(1)
    print(f"{len(objects)} objects mean each other")


if __name__ == "__main__":
    main()
