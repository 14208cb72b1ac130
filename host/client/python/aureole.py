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
import contextlib
import datetime
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
_EVENT_MAX = 1024 * 1024
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

    def upload(self, component, wait=60, signature=None):
        """Uploads a component, bytes or a path, and waits for its inspection. `signature` is
        its author's, `ed25519:KEY:SIGNATURE` in hex digits."""
        if not isinstance(component, (bytes, bytearray)):
            with open(component, "rb") as file:
                component = file.read()
        fields = {"content-type": "application/wasm"}
        if signature:
            fields["aureole-signature"] = signature
        return self._json("POST", "/plugins", raw=bytes(component), fields=fields, wait=wait)

    def share(self, plugin, visibility, tenants=None):
        """Says who may use a plugin beside its uploader: `private`, `public`, or `shared` with the
        `tenants` that are named."""
        body = dict({"visibility": visibility}, **({"with": list(tenants)} if tenants else {}))
        return self._json("PUT", "/plugins/%s/visibility" % _quoted(plugin), body=body)

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
        return self._call("GET", "/circuits/%s/ir" % _quoted(circuit))

    def check(self, circuit, input, reveal=False):
        """Says whether an input satisfies a circuit, without a task."""
        body = {"input": input, "reveal": reveal}
        path = "/circuits/%s/check" % _quoted(circuit)
        return self._json("POST", path, body=body, patience=60)

    # Verifying keys

    def circuit_key(self, circuit):
        """The identity of a circuit's key, the names it has, and whether it is revoked."""
        return self._json("GET", "/circuits/%s/key" % _quoted(circuit))

    def verifying_keys(self):
        """Every published name with its versions, and every revocation."""
        return self._json("GET", "/verifying-keys")

    def verifying_key(self, name):
        """The versions under a name; the current one is last."""
        return self._json("GET", "/verifying-keys/" + _quoted(name))

    def publish_key(self, name, circuit):
        """Publishes a circuit's key under a name, or rotates the name to it; proofs under the one
        before go on verifying."""
        return self._json("PUT", "/verifying-keys/" + _quoted(name), body={"circuit": circuit})

    def revoke_verifying_key(self, circuit, reason):
        """Revokes a circuit's key for ever: no proof under it is valid any more."""
        path = "/circuits/%s/revocation" % _quoted(circuit)
        return self._json("POST", path, body={"reason": reason})

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
            plugin=plugin, circuit=circuit, params=params, priority=priority, deadline=_instant(deadline)
        )
        body["input"] = input
        return self._json("POST", "/tasks", body=body, key=idempotency_key or _fresh_key())

    def submit_all(self, tasks, *, idempotency_key=None):
        """Submits 1 to 100 tasks at once, each a dictionary with `input` and the options of `submit`.
        The answer has an item for each, in their order: `status`, and `task` or `problem`."""
        body = {"tasks": [dict(task, **_given(deadline=_instant(task.get("deadline")))) for task in tasks]}
        key = idempotency_key or _fresh_key()
        return self._json("POST", "/tasks:batch", body=body, key=key, patience=60)["items"]

    def task(self, task, wait=0):
        """One task; while it is not final, the node waits, at most 60 s."""
        return self._json("GET", "/tasks/" + _quoted(task), wait=wait)

    def tasks(self, **filters):
        """A page of tasks: those of a `state`, `plugin` or `circuit`, submitted `since` (inclusive)
        and `until` (exclusive), each a datetime or as the API writes it; `sort` is `newest`, unless
        given, or `oldest`; at most `limit`, after the page whose `next` was `before`."""
        return self._json("GET", "/tasks", query=filters)

    def all_tasks(self, **filters):
        """Every task, page after page."""
        while True:
            page = self.tasks(**filters)
            yield from page["tasks"]
            if not page.get("next"):
                return
            filters["before"] = page["next"]

    def events(self, task, within=300.0):
        """Where a task stands, at once and whenever that changes, with an estimate of what remains;
        its end is the last. Goes on over restarts of the node, and tells nothing twice."""
        path = "/api/v1/tasks/%s/events" % _quoted(task)
        end, last, turn = time.monotonic() + within, None, 0
        while True:
            try:
                for kind, id, told in self._events(path, last, end):
                    if kind == "problem":
                        raise AureoleError(told.get("detail"), told.get("code"), told.get("status"), told)
                    if kind != "task":
                        break  # The node stops, or this reader was too slow: it comes again.
                    last, turn = id, 0
                    yield told
                    if told["state"] in _FINAL:
                        return
            except AureoleError as error:
                if error.status not in (None, 429, 503) or turn == self._retries:
                    raise
            if time.monotonic() >= end:
                raise AureoleError("the task %s is not finished after %g s; it goes on" % (task, within))
            turn += 1
            time.sleep(min(5.0, 0.1 * 2**turn))

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
        proof = self._call("GET", "/tasks/%s/proof" % _quoted(task))
        digest = hashlib.sha256(proof).hexdigest()
        if digest != found["proof"]["digest"]:
            raise AureoleError("the proof has the digest %s, announced was another" % digest)
        return proof

    def verify(self, circuit, public_inputs, proof):
        """Has a proof verified: the verdict, `valid` or not."""
        body = dict(_claim(public_inputs, proof), circuit=circuit)
        return self._json("POST", "/proofs/verify", body=body)

    def verify_all(self, circuit, proofs):
        """Has 1 to 64 proofs of one circuit verified, pairs of public inputs and bytes, which is less
        work than one by one: `valid` if all are, and the `verdicts` in their order."""
        claims = [_claim(public_inputs, proof) for public_inputs, proof in proofs]
        body = {"circuit": circuit, "proofs": claims}
        return self._json("POST", "/proofs/verify:batch", body=body, patience=60)

    # Receipts: what a node says here is checked by `aureole receipts`, or by any reader of C2SP logs

    def receipt(self, task):
        """The receipt of a done task's proof: it verifies offline, with the log's key."""
        return self._json("GET", "/tasks/%s/receipt" % _quoted(task))

    def checkpoint(self):
        """The newest signed checkpoint of the log, a signed note."""
        return self._call("GET", "/log/checkpoint").decode("utf-8")

    def log_key(self):
        """What the node says is its log's key; whoever trusts it has got it another way."""
        return self._call("GET", "/log/key").decode("utf-8").strip()

    def inclusion(self, index, size=None):
        """The proof that a leaf is in the log of `size` leaves, or of the newest checkpoint."""
        return self._json("GET", "/log/inclusion", query={"index": index, "size": size})

    def consistency(self, start, to=None):
        """The proof that the log of `to` leaves, or of the newest checkpoint, goes on from `start`."""
        return self._json("GET", "/log/consistency", query={"from": start, "to": to})

    def tile(self, path):
        """A tile of the log, or a bundle of its entries, by its path below `tile/`."""
        return self._call("GET", "/log/tile/" + urllib.parse.quote(path))

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

    # Tenants, keys and workers: for administrators, but `me`

    def me(self):
        """Whose key this is, its role, and what the tenant has used and may have."""
        return self._json("GET", "/me")

    def tenants(self):
        """Every tenant."""
        return self._json("GET", "/admin/tenants")["tenants"]

    def tenant(self, tenant):
        """One tenant."""
        return self._json("GET", "/admin/tenants/" + _quoted(tenant))

    def put_tenant(self, tenant, weight=None, quotas=None, suspended=None):
        """Makes a tenant, or changes what is given of it; `quotas` are all of them at once:
        `live_tasks`, `queued_bytes`, `stored_bytes`, `core_seconds` in an hour."""
        body = _given(weight=weight, quotas=quotas, suspended=suspended)
        return self._json("PUT", "/admin/tenants/" + _quoted(tenant), body=body)

    def usage(self, tenant):
        """What a tenant has used and has."""
        return self._json("GET", "/admin/tenants/%s/usage" % _quoted(tenant))

    def keys(self, tenant=None):
        """Every API key, or those of one tenant."""
        return self._json("GET", "/admin/keys", query={"tenant": tenant})["keys"]

    def create_key(self, tenant, role, label=None, expires_at=None):
        """Makes an API key: `admin`, `author`, `submitter` or `auditor`; `secret` is in this answer
        only. Not made again when the answer is lost: look at `keys`, and revoke what came of it."""
        body = _given(tenant=tenant, role=role, label=label, expires_at=_instant(expires_at))
        return self._json("POST", "/admin/keys", body=body, again=False)

    def revoke_key(self, key):
        """Makes a key, named by its public part, open nothing any more."""
        return self._json("DELETE", "/admin/keys/" + _quoted(key))

    def audit(self, **page):
        """The trail of administrative acts."""
        return self._json("GET", "/admin/audit", query=page)

    def overview(self):
        """The cluster at one moment: what waits and for whom, who works, who leads."""
        return self._json("GET", "/admin/overview")

    def workers(self):
        """The workers that are joined, or that something is held against."""
        return self._json("GET", "/workers")["workers"]

    def trust_worker(self, worker):
        """Takes a worker out of quarantine."""
        return self._json("DELETE", "/workers/%s/quarantine" % _quoted(worker))["workers"]

    # The node

    def errors(self):
        """Every stable code, with what it means and what to do."""
        return self._json("GET", "/errors")["errors"]

    def error(self, code):
        """One stable code."""
        return self._json("GET", "/errors/" + _quoted(code))

    def live(self):
        """Whether the process runs; a node that does not answer is an `AureoleError`."""
        return json.loads(self._once("GET", "/health/live", {}, None, self._timeout))["live"]

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

    def _call(
        self,
        method,
        path,
        body=None,
        raw=None,
        fields=None,
        query=None,
        wait=None,
        patience=0,
        key=None,
        again=True,
    ):
        pairs = {name: _instant(value) for name, value in (query or {}).items() if value is not None}
        if wait is not None:
            pairs["wait"] = "%dms" % int(min(wait, 60) * 1000)
        path = "/api/v1" + path
        if pairs:
            path += "?" + urllib.parse.urlencode(pairs)
        headers = dict(fields or {})
        if body is not None:
            raw = json.dumps(body).encode("utf-8")
            headers["content-type"] = "application/json"
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
        with self._open(method, path, dict(headers, accept="application/json"), raw, timeout) as answer:
            return _read(answer)

    def _events(self, path, last, end):
        """The events of one connection: kind, id and document of each. None after `end`."""
        headers = {"accept": "text/event-stream"}
        if last:
            headers["last-event-id"] = last
        with self._open("GET", path, headers, None, self._timeout) as answer:
            event = {}
            # A comment comes every few seconds, so a silent connection is a dead one.
            while time.monotonic() < end:
                line = answer.readline(_EVENT_MAX)
                if not line.endswith(b"\n"):
                    return
                name, _, value = line.decode("utf-8").rstrip("\r\n").partition(": ")
                if name:
                    event[name] = value
                elif "data" in event:
                    yield event.get("event"), event.get("id"), json.loads(event["data"])
                    event = {}

    @contextlib.contextmanager
    def _open(self, method, path, headers, raw, timeout):
        if self._key:
            headers["authorization"] = "Bearer " + self._key
        request = urllib.request.Request(self._base + path, raw, headers, method=method)
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                yield answer
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


def _claim(public_inputs, proof):
    return {"public_inputs": public_inputs, "proof": base64.b64encode(proof).decode("ascii")}


def _instant(value):
    """A datetime as the API writes it; anything else as it is. One without a zone is local time."""
    if isinstance(value, datetime.datetime):
        value = value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value


def _given(**fields):
    return {name: value for name, value in fields.items() if value is not None}


def _fresh_key():
    return secrets.token_hex(16)


def _quoted(segment):
    return urllib.parse.quote(segment, safe="")


def _plugin_path(plugin):
    return "/".join(_quoted(part) for part in plugin.split("@", 1))
