#!/usr/bin/env python3
"""Runs what kustomize or helm rendered as containers of this machine, where no Kubernetes is at hand.

    kubectl kustomize deployments/kubernetes/dev > rendered.yaml
    deployments/kubernetes/secrets.sh D aureole-dev >> rendered.yaml     (after a line `---`)
    deployments/kubernetes/try.py rendered.yaml FOLDER > compose.yaml
    docker compose -f compose.yaml up --detach

Each pod becomes a container with the pod's arguments, user, configuration, certificates and mounts, two
pods for a deployment; volumes of claims become named volumes, the gateways' service a port of the
loopback interface. So it shows that image, configuration and secrets fit; probes, policies and scaling
it does not show. Needs PyYAML. FOLDER takes the files of config map and secrets.
"""

import base64
import json
import os
import pathlib
import sys

import yaml

PODS_OF_A_DEPLOYMENT = 2
PORT = int(os.environ.get("AUREOLE_PORT", "18080"))


def write_files(folder, objects):
    """Writes config maps and secrets, one folder each, and returns the folders by kind and name."""
    folders = {}
    for item in objects:
        if item["kind"] not in ("ConfigMap", "Secret"):
            continue
        place = folder / item["kind"].lower() / item["metadata"]["name"]
        place.mkdir(parents=True, exist_ok=True)
        for key, text in item["data"].items():
            data = base64.b64decode(text) if item["kind"] == "Secret" else text.encode()
            (place / key).write_bytes(data)
        folders[item["kind"], item["metadata"]["name"]] = place
    return folders


def laid_out(place, volume):
    """The folder of a secret's volume, with its items where they are to be."""
    if "items" not in volume:
        return place
    laid = place.with_name(place.name + ".items")
    for item in volume["items"]:
        path = laid / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((place / item["key"]).read_bytes())
    return laid


def container(name, template, claims, folders):
    """The compose service of a pod."""
    spec = template["spec"]
    [main] = spec["containers"]
    security = main["securityContext"]
    user = spec["securityContext"]
    # What is left of dollars is the shell's, and compose takes two for one.
    expand = lambda text: text.replace("$(POD_NAME)", name).replace("$", "$$")
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    mounts, tmpfs = [], []
    for mount in main["volumeMounts"]:
        target = mount["mountPath"]
        volume = volumes.get(mount["name"], {})
        if mount["name"] in claims:
            mounts.append(f"{mount['name']}-{name}:{target}")
        elif "emptyDir" in volume:
            tmpfs.append(f"{target}:uid={user['runAsUser']},gid={user['fsGroup']},mode=0770")
        else:
            if "configMap" in volume:
                source = folders["ConfigMap", volume["configMap"]["name"]]
            else:
                secret = volume["secret"]
                source = laid_out(folders["Secret", secret["secretName"]], secret)
            source = source / expand(mount.get("subPathExpr", ""))
            mounts.append(f"{source}:{target}:ro")
    service = {
        "image": main["image"],
        "command": [expand(argument) for argument in main.get("args", [])],
        "user": f"{user['runAsUser']}:{user['runAsGroup']}",
        "read_only": security["readOnlyRootFilesystem"],
        "cap_drop": security["capabilities"]["drop"],
        "security_opt": ["no-new-privileges:true"],
        "volumes": mounts,
        "tmpfs": tmpfs,
        "environment": {each["name"]: each["value"] for each in main.get("env", []) if "value" in each},
    }
    if "command" in main:
        service["entrypoint"] = [expand(word) for word in main["command"]]
    return service


def aliases(name, template, objects):
    """The names under which a pod's services find it."""
    labels = template["metadata"]["labels"].items()
    for item in objects:
        if item["kind"] == "Service" and item["spec"]["selector"].items() <= labels:
            service = item["metadata"]["name"]
            yield service
            yield f"{name}.{service}"


def main():
    """Prints the compose file."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        objects = [item for item in yaml.safe_load_all(file) if item]
    folder = pathlib.Path(sys.argv[2]).absolute()
    folders = write_files(folder, objects)
    services, named = {}, {}
    for item in objects:
        if item["kind"] not in ("StatefulSet", "Deployment"):
            continue
        spec = item["spec"]
        claims = [claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", [])]
        for number in range(spec.get("replicas", PODS_OF_A_DEPLOYMENT)):
            name = f"{item['metadata']['name']}-{number}"
            service = container(name, spec["template"], claims, folders)
            names = list(aliases(name, spec["template"], objects))
            service["networks"] = {"default": {"aliases": names}}
            if item["metadata"]["name"] == "aureole-gateway":
                service["ports"] = [f"127.0.0.1:{PORT + number}:8080"]
            services[name] = service
            named.update({f"{claim}-{name}": {} for claim in claims})
    # JSON is YAML.
    print(json.dumps({"name": "aureole-rendered", "services": services, "volumes": named}, indent=2))


if __name__ == "__main__":
    main()
