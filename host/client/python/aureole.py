"""A client of an Aureole node: proofs of sandboxed halo2 circuits.

One file, the standard library only, Python 3.9 and later. Documents are plain dictionaries with the
fields of the REST API; a refusal is an `AureoleError` with a stable code.

    node = Aureole("http://localhost:8080", key="aur_...")
    task = node.prove("merkle", {"leaves": ["0x" + "01" * 32], "leaf_index": 0})
    proof = node.proof(task["id"])

A call is made again only when doing it twice does what doing it once does: reads, registrations and
cancels by their nature, submissions because each carries an idempotency key.
"""

import base64
import hashlib
import hmac
import http.client
import json
import random
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request

__all__ = ["Aureole", "AureoleError", "TaskFailed", "verify_webhook"]

_ANSWER_MAX = 256 * 1024 * 1024
_POLL = 20.0
_FINAL = ("done", "failed", "cancelled")


class AureoleError(Exception):
    """A call without its answer.

    `code` is the stable code of a refusal (`GET /api/v1/errors/{code}` explains it), or None when no
    node answered. `status` is the HTTP status, `problem` the whole document.
    """

    def __init__(self, message, code=None, status=None, problem=None, retry_after=None):
        super().__init__(message)
        self.code = code
        self.status = status
        self.problem = problem or {}
        self.retry_after = retry_after

    @property
    def path(self):
        """Where in the input or the body it went wrong, as a JSON pointer."""
        return self.problem.get("path")


class TaskFailed(AureoleError):
    """A task ended without a proof; `task` is the whole task."""

    def __init__(self, task):
        problem = task.get("error") or {}
        detail = problem.get("detail") or problem.get("title") or "no reason is given"
        message = "the task %s ended as %s: %s" % (task["id"], task["state"], detail)
        super().__init__(message, problem.get("code"), problem.get("status"), problem)
        self.task = task


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A node never redirects, so a key is never sent elsewhere."""

    def redirect_request(self, *_):
        return None


class Aureole:
    """A node, from outside. Threads may share one."""

    def __init__(self, url, key=None, timeout=30.0, retries=4):
        """`timeout` is how long an answer may take beyond what the node was asked to wait;
        `retries` how often a call that may be made twice is made again."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("%r is no address of a node: expected http://host:port" % url)
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError("%r must end after host and port" % url)
        self._base = "%s://%s" % (parts.scheme, parts.netloc)
        self._key = key
        self._timeout = timeout
        self._retries = retries
        self._opener = urllib.request.build_opener(_NoRedirect)

    # Plugins and circuits

    def plugins(self):
        """Every plugin."""
        return self._json("GET", "/plugins")["plugins"]

    def plugin(self, plugin, wait=0):
        """One plugin by name, name@version or digest."""
        return self._json("GET", "/plugins/" + _plugin_path(plugin), wait=wait)

    def upload(self, component, wait=60):
        """Uploads a component, bytes or a path, and waits for its inspection."""
        if not isinstance(component, (bytes, bytearray)):
            with open(component, "rb") as file:
                component = file.read()
        return self._json(
            "POST", "/plugins", raw=bytes(component), kind="application/wasm", wait=wait
        )

    def retire(self, plugin):
        """Takes a plugin, named exactly, out of use."""
        return self._json("DELETE", "/plugins/" + _plugin_path(plugin))

    def register(self, plugin, params=None, wait=60):
        """Registers a plugin's circuit and waits for its keys."""
        body = _given(plugin=plugin, params=params)
        return self._json("POST", "/circuits", body=body, wait=wait)

    def circuit(self, circuit, wait=0):
        """One circuit."""
        return self._json("GET", "/circuits/" + _quoted(circuit), wait=wait)

    def circuit_ir(self, circuit):
        """A circuit's canonical bytes."""
        return self._bytes("/circuits/%s/ir" % _quoted(circuit))

    def check(self, circuit, input, reveal=False):
        """Says whether an input satisfies a circuit, without a task."""
        body = {"input": input, "reveal": reveal}
        path = "/circuits/%s/check" % _quoted(circuit)
        return self._json("POST", path, body=body, patience=60)

    # Tasks

    def submit(
        self,
        plugin=None,
        input=None,
        *,
        circuit=None,
        params=None,
        priority=None,
        deadline=None,
        idempotency_key=None
    ):
        """Submits a task and answers at once. The same `idempotency_key` with the same request is
        the same task; one is made for each call unless given."""
        body = _given(
            plugin=plugin, circuit=circuit, params=params, priority=priority, deadline=deadline
        )
        body["input"] = input
        return self._json("POST", "/tasks", body=body, key=idempotency_key or _fresh_key())

    def task(self, task, wait=0):
        """One task; while it is not final, the node waits, at most 60 s."""
        return self._json("GET", "/tasks/" + _quoted(task), wait=wait)

    def tasks(self, **filters):
        """A page of tasks, newest first: `state`, `plugin`, `before`, `limit`."""
        return self._json("GET", "/tasks", query=filters)

    def all_tasks(self, **filters):
        """Every task, page after page."""
        while True:
            page = self.tasks(**filters)
            yield from page["tasks"]
            if not page.get("next"):
                return
            filters["before"] = page["next"]

    def wait(self, task, within=300.0, seen=None):
        """Waits until a task is final, over restarts of the node. `seen` gets it at each look."""
        end = time.monotonic() + within
        while True:
            left = max(0.0, end - time.monotonic())
            found = self.task(task, wait=min(_POLL, left))
            if seen:
                seen(found)
            if found["state"] in _FINAL:
                return found
            if time.monotonic() >= end:
                raise AureoleError("the task %s is not finished after %g s; it goes on" % (task, within))

    def prove(self, plugin, input, within=300.0, **options):
        """Submits and waits; the done task, or `TaskFailed`."""
        task = self.submit(plugin, input, **options)
        task = self.wait(task["id"], within)
        if task["state"] != "done":
            raise TaskFailed(task)
        return task

    def cancel(self, task):
        """Stops a task."""
        return self._json("DELETE", "/tasks/" + _quoted(task))

    def explain(self, task):
        """Why a task waits, and for how long it should."""
        return self._json("GET", "/tasks/%s/explain" % _quoted(task))

    def proof(self, task):
        """A done task's proof; its digest is checked."""
        found = self.task(task)
        if not found.get("proof"):
            raise TaskFailed(found)
        proof = self._bytes("/tasks/%s/proof" % _quoted(task))
        digest = hashlib.sha256(proof).hexdigest()
        if digest != found["proof"]["digest"]:
            raise AureoleError("the proof has the digest %s, announced was another" % digest)
        return proof

    def verify(self, circuit, public_inputs, proof):
        """Has a proof verified: the verdict, `valid` or not."""
        body = {
            "circuit": circuit,
            "public_inputs": public_inputs,
            "proof": base64.b64encode(proof).decode("ascii"),
        }
        return self._json("POST", "/proofs/verify", body=body)

    # Webhooks

    def create_webhook(self, url, events=None, public_inputs=False):
        """Subscribes a URL to the ends of tasks; `secret` is in this answer only."""
        body = _given(url=url, events=events)
        body["public_inputs"] = public_inputs
        return self._json("POST", "/webhooks", body=body, key=_fresh_key())

    def webhooks(self):
        """Every webhook."""
        return self._json("GET", "/webhooks")["webhooks"]

    def webhook(self, webhook):
        """One webhook."""
        return self._json("GET", "/webhooks/" + _quoted(webhook))

    def delete_webhook(self, webhook):
        """Ends a webhook."""
        self._call("DELETE", "/webhooks/" + _quoted(webhook), again=False)

    def test_webhook(self, webhook):
        """Sends a test event now and says what came of it."""
        return self._json("POST", "/webhooks/%s/test" % _quoted(webhook), body={}, again=False)

    def deliveries(self, webhook):
        """What is to be delivered, and what came of the rest."""
        return self._json("GET", "/webhooks/%s/deliveries" % _quoted(webhook))["deliveries"]

    def replay(self, webhook, task):
        """Delivers the end of a task again."""
        path = "/webhooks/%s/deliveries/%s/replay" % (_quoted(webhook), _quoted(task))
        return self._json("POST", path, body={})

    # Health

    def ready(self):
        """How the node is, ready or not."""
        try:
            return json.loads(self._once("GET", "/health/ready", {}, None, self._timeout))
        except AureoleError as error:
            if error.status == 503 and error.problem:
                return error.problem
            raise

    # One place that sends

    def _json(self, method, path, **options):
        answer = self._call(method, path, **options)
        try:
            return json.loads(answer)
        except ValueError:
            raise AureoleError("%s gave an answer that is not Aureole's" % self._base) from None

    def _bytes(self, path):
        return self._call("GET", path)

    def _call(
        self,
        method,
        path,
        body=None,
        raw=None,
        kind=None,
        query=None,
        wait=None,
        patience=0,
        key=None,
        again=True,
    ):
        pairs = {name: value for name, value in (query or {}).items() if value is not None}
        if wait is not None:
            pairs["wait"] = "%dms" % int(min(wait, 60) * 1000)
        path = "/api/v1" + path
        if pairs:
            path += "?" + urllib.parse.urlencode(pairs)
        headers = {}
        if body is not None:
            raw, kind = json.dumps(body).encode("utf-8"), "application/json"
        if kind:
            headers["content-type"] = kind
        if key:
            headers["idempotency-key"] = key
        timeout = self._timeout + (wait or patience)
        for turn in range(self._retries + 1):
            try:
                return self._once(method, path, headers, raw, timeout)
            except AureoleError as error:
                transient = error.status in (None, 429, 503) if again else error.status == 429
                pause = min(5.0, 0.2 * 2**turn) * random.uniform(1.0, 2.0)
                pause = max(pause, error.retry_after or 0.0)
                if not transient or turn == self._retries or pause > 30.0:
                    raise
                time.sleep(pause)
        raise AssertionError("the loop returns or raises")

    def _once(self, method, path, headers, raw, timeout):
        headers = dict(headers, accept="application/json")
        if self._key:
            headers["authorization"] = "Bearer " + self._key
        request = urllib.request.Request(self._base + path, raw, headers, method=method)
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                return _read(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise _refusal(refusal) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise AureoleError("no answer from %s: %s" % (self._base, reason)) from error


def verify_webhook(secret, headers, body, tolerance=300.0, now=None):
    """Checks the signature of an event and reads it.

    `headers` is any mapping with the request's fields, `body` its bytes as they came. Raises
    `ValueError` when the signature is not the secret's or its time is too far away. The caller
    ignores an event whose `webhook-id` it has had.
    """
    fields = {str(name).lower(): value for name, value in headers.items()}
    try:
        message, stamp = fields["webhook-id"], fields["webhook-timestamp"]
        signatures = fields["webhook-signature"].split(" ")
        seconds = int(stamp)
    except (KeyError, ValueError):
        raise ValueError("the request carries no signature") from None
    if abs((time.time() if now is None else now) - seconds) > tolerance:
        raise ValueError("the signature's time is too far away")
    if not secret.startswith("whsec_"):
        raise ValueError("a webhook's secret begins with whsec_")
    key = base64.b64decode(secret[len("whsec_") :])
    signed = message.encode() + b"." + stamp.encode() + b"." + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    if not any(hmac.compare_digest(expected, given) for given in signatures):
        raise ValueError("the signature is not the secret's")
    return json.loads(body)


def _read(answer):
    body = answer.read(_ANSWER_MAX + 1)
    if len(body) > _ANSWER_MAX:
        raise AureoleError("the answer has more than %d bytes" % _ANSWER_MAX)
    return body


def _refusal(refusal):
    body = _read(refusal)
    retry_after = refusal.headers.get("retry-after", "")
    retry_after = float(retry_after) if retry_after.isdigit() else None
    try:
        problem = json.loads(body)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        message = "status %d, and no document of a node" % refusal.code
        # Something between answered: not worth another try unless it says so by its status.
        return AureoleError(message, None, refusal.code, None, retry_after)
    message = problem.get("detail") or problem.get("title") or "status %d" % refusal.code
    code = problem.get("code")
    if code:
        message = "%s (%s)" % (message, code)
    return AureoleError(message, code, refusal.code, problem, retry_after)


def _given(**fields):
    return {name: value for name, value in fields.items() if value is not None}


def _fresh_key():
    return secrets.token_hex(16)


def _quoted(segment):
    return urllib.parse.quote(segment, safe="")


def _plugin_path(plugin):
    return "/".join(_quoted(part) for part in plugin.split("@", 1))
