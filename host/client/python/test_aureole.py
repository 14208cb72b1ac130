"""The client against a real node: `test_aureole.py NODE COMPONENT`, with the API key in AUREOLE_KEY."""

import base64
import hashlib
import hmac
import datetime
import json
import os
import re
import secrets
import socket
import sys
import threading
import unittest
import urllib.request

from aureole import Aureole, AureoleError, TaskFailed, verify_webhook

NODE, COMPONENT = sys.argv[1:3]
KEY = os.environ.get("AUREOLE_KEY")
INPUT = {"leaves": ["0x%064x" % leaf for leaf in (1, 2, 3)], "leaf_index": 1}


# Operations of the API that have no method, each with the reason.
ABSENT = {
    "root": "leads people to the console",
    "console": "a page for people",
    "consoleFile": "part of that page",
    "docs": "a page for people",
    "docsStyle": "part of that page",
    "docsScript": "part of that page",
    "openapi": "for those who generate clients, in place of this one",
    "prove": "`submit` and `wait` are the same in two requests, and go on over a restart of the node",
}
ASKED = set()


class Heard(Aureole):
    """A client of which is known what it asked for."""

    def _open(self, method, path, *rest):
        ASKED.add((method, path.partition("?")[0]))
        return super()._open(method, path, *rest)


def tearDownModule():
    """Each operation that the node's own document names was asked for above, or is absent by name."""
    with urllib.request.urlopen(NODE + "/openapi.json") as answer:
        paths = json.load(answer)["paths"]
    lacking = set()
    for path, operations in paths.items():
        form = re.compile(re.sub(r"\{\w+\}", "[^/]+", path.replace("{tile}", ".+")))
        # A path without a parameter is meant before one that it would fit too.
        asked = {verb for verb, place in ASKED if place == path or place not in paths and form.fullmatch(place)}
        lacking |= {each["operationId"] for verb, each in operations.items() if verb.upper() not in asked}
    assert lacking <= set(ABSENT), "without a method: %s" % (lacking - set(ABSENT))


class Proving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Heard(NODE, key=KEY)
        cls.plugin = cls.node.upload(COMPONENT)

    def test_a_component_becomes_a_plugin_and_an_input_a_proof_that_verifies(self):
        self.assertEqual((self.plugin["name"], self.plugin["state"]), ("merkle", "ready"))
        self.assertIn("merkle", [plugin["name"] for plugin in self.node.plugins()])
        with open(COMPONENT, "rb") as file:
            again = self.node.upload(file.read())
        self.assertEqual(again["digest"], self.plugin["digest"])
        seen = []
        task = self.node.submit("merkle", INPUT)
        task = self.node.wait(task["id"], seen=seen.append)
        self.assertEqual(task["state"], "done")
        self.assertEqual(seen[-1], task)
        proof = self.node.proof(task["id"])
        self.assertEqual(len(proof), task["proof"]["bytes"])
        verdict = self.node.verify(task["circuit"], task["public_inputs"], proof)
        self.assertTrue(verdict["valid"], verdict)
        other = bytes([proof[0] ^ 1]) + proof[1:]
        self.assertFalse(self.node.verify(task["circuit"], task["public_inputs"], other)["valid"])
        self.assertEqual(self.node.circuit(task["circuit"])["state"], "ready")
        self.assertTrue(self.node.circuit_ir(task["circuit"]))
        self.assertTrue(self.node.check(task["circuit"], INPUT)["satisfied"])

    def test_a_key_makes_two_submissions_one_task(self):
        one = self.node.submit("merkle", INPUT, idempotency_key="python-1")
        two = self.node.submit("merkle@" + self.plugin["version"], INPUT, idempotency_key="python-1")
        self.assertEqual(one["id"], two["id"])
        with self.assertRaises(AureoleError) as refused:
            self.node.submit("merkle", dict(INPUT, leaf_index=0), idempotency_key="python-1")
        self.assertEqual(refused.exception.code, "request.idempotency_conflict")
        self.assertEqual(refused.exception.status, 409)

    def test_a_refusal_has_its_code_and_place(self):
        with self.assertRaises(AureoleError) as refused:
            self.node.submit("merkle", dict(INPUT, leaf_index="x"))
        self.assertEqual(refused.exception.code, "input.schema")
        self.assertEqual(refused.exception.path, "/leaf_index")
        with self.assertRaises(AureoleError) as refused:
            self.node.task("tsk_" + "0" * 32)
        self.assertEqual(refused.exception.code, "task.unknown")
        with self.assertRaises(AureoleError) as refused:
            self.node.plugin("../tasks")
        self.assertEqual(refused.exception.code, "request.id")

    def test_a_task_without_a_proof_is_an_error_with_the_task(self):
        task = self.node.submit("merkle", INPUT, priority=0)
        try:
            self.node.cancel(task["id"])
        except AureoleError as error:
            self.assertEqual(error.code, "task.finished")
            return
        with self.assertRaises(TaskFailed) as failed:
            self.node.proof(task["id"])
        self.assertEqual(failed.exception.task["state"], "cancelled")

    def test_tasks_are_listed_page_by_page(self):
        made = {self.node.submit("merkle", INPUT, priority=9)["id"] for _ in range(3)}
        first = self.node.tasks(limit=1)
        self.assertEqual(len(first["tasks"]), 1)
        listed = {task["id"] for task in self.node.all_tasks(limit=2)}
        self.assertLessEqual(made, listed)
        for task in made:
            self.node.wait(task)

    def test_lists_are_filtered_and_sorted(self):
        began = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=1)
        made = [self.node.submit("merkle", dict(INPUT, leaf_index=index))["id"] for index in (0, 2)]
        circuit = self.node.wait(made[1])["circuit"]
        self.node.wait(made[0])
        filters = dict(since=began, sort="oldest", state="done", circuit=circuit, plugin="merkle")
        listed = [task["id"] for task in self.node.tasks(**filters)["tasks"]]
        self.assertEqual([task for task in listed if task in made], made)
        self.assertEqual(self.node.tasks(until="2020-01-01T00:00:00Z")["tasks"], [])

    def test_a_batch_is_submitted_and_verified_at_once(self):
        later = datetime.datetime.now() + datetime.timedelta(hours=1)
        tasks = [{"plugin": "merkle", "input": dict(INPUT, leaf_index=index)} for index in (0, 1)]
        tasks += [dict(tasks[0], deadline=later), {"plugin": "nobody", "input": {}}]
        items = self.node.submit_all(tasks, idempotency_key="python-batch")
        self.assertEqual([item["status"] for item in items], [202, 202, 202, 404])
        self.assertEqual(items[3]["problem"]["code"], "plugin.unknown")
        again = self.node.submit_all(tasks, idempotency_key="python-batch")
        self.assertEqual([item["task"]["id"] for item in again[:3]], [item["task"]["id"] for item in items[:3]])
        done = [self.node.wait(item["task"]["id"]) for item in items[:3]]
        proofs = [(task["public_inputs"], self.node.proof(task["id"])) for task in done]
        report = self.node.verify_all(done[0]["circuit"], proofs)
        self.assertEqual((report["valid"], len(report["verdicts"])), (True, 3))
        proofs[1] = (proofs[1][0], proofs[1][1][:-1] + bytes([proofs[1][1][-1] ^ 1]))
        report = self.node.verify_all(done[0]["circuit"], proofs)
        self.assertEqual([verdict["valid"] for verdict in report["verdicts"]], [True, False, True])

    def test_events_end_with_the_task(self):
        task = self.node.submit("merkle", INPUT)
        events = list(self.node.events(task["id"]))
        self.assertEqual({event["task"] for event in events}, {task["id"]})
        self.assertEqual(events[-1]["state"], "done")
        self.assertNotIn("done", [event["state"] for event in events[:-1]])
        with self.assertRaises(AureoleError) as refused:
            next(self.node.events("tsk_" + "0" * 32))
        self.assertEqual(refused.exception.code, "task.unknown")

    def test_a_key_is_published_and_revoked(self):
        # A circuit of its own: what is revoked stays so.
        params = dict(self.plugin["default_params"], depth=5)
        circuit = self.node.register("merkle", params)["id"]
        task = self.node.wait(self.node.submit(circuit=circuit, input=INPUT)["id"])
        proof = self.node.proof(task["id"])
        published = self.node.publish_key("python-key", circuit)
        self.assertEqual(published["versions"][-1]["state"], "current")
        self.assertEqual(self.node.verifying_key("python-key"), published)
        self.assertIn("python-key", [key["name"] for key in self.node.verifying_keys()["keys"]])
        self.assertEqual(self.node.circuit_key(circuit)["key_digest"], published["versions"][-1]["key_digest"])
        self.assertTrue(self.node.verify(circuit, task["public_inputs"], proof)["valid"])
        self.assertEqual(self.node.revoke_verifying_key(circuit, "a trial")["revoked"]["reason"], "a trial")
        verdict = self.node.verify(circuit, task["public_inputs"], proof)
        self.assertEqual((verdict["valid"], verdict["revoked"]["reason"]), (False, "a trial"))

    def test_a_proof_has_its_receipt_in_the_log(self):
        task = self.node.prove("merkle", INPUT)
        receipt = self.node.receipt(task["id"])
        leaf = task["receipt"]["leaf"]
        self.assertTrue(receipt)
        origin, size, root = self.node.checkpoint().splitlines()[:3]
        self.assertGreater(int(size), leaf)
        self.assertTrue(self.node.log_key().startswith(origin + "+"))
        proof = self.node.inclusion(leaf, int(size))
        self.assertEqual((proof["of"], proof["size"]), (leaf, int(size)))
        self.assertEqual(bytes.fromhex(proof["root"]), base64.b64decode(root))
        self.assertEqual(self.node.consistency(leaf + 1)["of"], leaf + 1)
        self.assertEqual(len(self.node.tile("0/000.p/" + size)), 32 * int(size))

    def test_tenants_keys_and_quotas_are_administered(self):
        name = "python-" + secrets.token_hex(4)
        quotas = {"live_tasks": 0}
        tenant = self.node.put_tenant(name, weight=50, quotas=quotas)
        self.assertEqual((tenant["weight"], tenant["quotas"]["live_tasks"]), (50, 0))
        self.assertEqual(self.node.tenant(name), tenant)
        self.assertIn(name, [each["id"] for each in self.node.tenants()])
        expires = datetime.datetime.now() + datetime.timedelta(days=1)
        made = self.node.create_key(name, "submitter", label="of a test", expires_at=expires)
        theirs = Heard(NODE, key=made["secret"], retries=0)
        self.assertEqual((theirs.me()["tenant"], theirs.me()["role"]), (name, "submitter"))
        self.assertEqual([key["id"] for key in self.node.keys(name)], [made["key"]["id"]])
        with self.assertRaises(AureoleError) as refused:
            theirs.tenants()
        self.assertEqual(refused.exception.code, "access.forbidden")
        self.node.share("merkle", "shared", tenants=[name])
        self.assertEqual(theirs.plugin("merkle")["name"], "merkle")
        with self.assertRaises(AureoleError) as refused:
            theirs.submit("merkle", INPUT)
        self.assertEqual(refused.exception.code, "quota.live_tasks")
        self.node.share("merkle", "private")
        with self.assertRaises(AureoleError):
            theirs.plugin("merkle")
        self.assertEqual(self.node.usage(name)["live_tasks"], 0)
        self.assertTrue(self.node.revoke_key(made["key"]["id"])["revoked_at"])
        with self.assertRaises(AureoleError) as refused:
            theirs.me()
        self.assertEqual(refused.exception.status, 401)
        acts = [act["act"] for act in self.node.audit()["acts"] if act["tenant"] == name]
        self.assertEqual(set(acts), {"tenant_put", "key_created", "key_revoked"})

    def test_the_node_and_its_workers_are_well(self):
        self.assertTrue(self.node.live())
        self.assertTrue(self.node.ready()["ready"])
        self.assertTrue(all(worker["joined"] for worker in self.node.workers()))
        seen = self.node.overview()
        self.assertIn(seen["cluster"]["leader"], [each["id"] for each in seen["cluster"]["members"]])
        with self.assertRaises(AureoleError) as refused:
            self.node.trust_worker("nobody")
        self.assertEqual(self.node.error(refused.exception.code)["status"], 404)
        self.assertIn("task.unknown", [each["code"] for each in self.node.errors()])
        self.assertEqual(self.node.plugin("merkle@" + self.plugin["version"])["name"], "merkle")
        self.assertIn("summary", self.node.explain(self.node.prove("merkle", INPUT)["id"]))

    def test_retired_plugins_and_webhooks_end(self):
        for plugin in ("0" * 64, "merkle@9.9.9"):
            with self.assertRaises(AureoleError) as refused:
                self.node.retire(plugin)
            self.assertEqual(refused.exception.code, "plugin.unknown")
        # Nobody listens there.
        hook = self.node.create_webhook("http://127.0.0.1:9/", events=["task.done"])
        self.assertTrue(hook["secret"].startswith("whsec_"))
        self.assertIn(hook["id"], [each["id"] for each in self.node.webhooks()])
        self.assertNotIn("secret", self.node.webhook(hook["id"]))
        self.assertFalse(self.node.test_webhook(hook["id"])["delivered"])
        self.assertEqual(self.node.deliveries(hook["id"]), [])
        with self.assertRaises(AureoleError):
            self.node.replay(hook["id"], "tsk_" + "0" * 32)
        self.node.delete_webhook(hook["id"])
        self.assertNotIn(hook["id"], [each["id"] for each in self.node.webhooks()])


class Line(unittest.TestCase):
    """What the client does when the node is away, busy, or something else."""

    def script(self, *answers):
        """A server that gives each connection the next answer; b"" breaks off."""
        listener = socket.create_server(("127.0.0.1", 0))
        heads = []

        def serve():
            with listener:
                for answer in answers:
                    stream, _ = listener.accept()
                    with stream:
                        head = b""
                        while b"\r\n\r\n" not in head:
                            head += stream.recv(4096)
                        heads.append(head.decode())
                        stream.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return "http://127.0.0.1:%d" % listener.getsockname()[1], heads

    @staticmethod
    def answer(status, body, fields=b""):
        head = b"HTTP/1.1 %d X\r\nconnection: close\r\ncontent-length: %d\r\n" % (status, len(body))
        return head + fields + b"\r\n" + body

    def test_a_submission_is_made_again_under_one_key(self):
        busy = self.answer(503, b'{"code":"node.busy","status":503}')
        url, heads = self.script(b"", busy, self.answer(202, b'{"id":"tsk_1","state":"queued"}'))
        self.assertEqual(Aureole(url, key="aur_k").submit("merkle", {})["id"], "tsk_1")
        fields = [dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line) for head in heads]
        self.assertEqual(len({field["idempotency-key"] for field in fields}), 1)
        self.assertEqual({field["authorization"] for field in fields}, {"bearer aur_k"})

    def test_events_go_on_where_they_broke_off(self):
        first = b'id: a\nevent: task\ndata: {"state":"running"}\n\n: alive\n\nevent: stopping\ndata: {}\n\n'
        second = b'id: b\nevent: task\ndata: {"state":"done"}\n\n'
        busy = self.answer(503, b'{"code":"node.busy","status":503}')
        url, heads = self.script(b"", self.answer(200, first), busy, self.answer(200, second))
        states = [event["state"] for event in Aureole(url).events("tsk_1")]
        self.assertEqual(states, ["running", "done"])
        came = ["last-event-id: a" in head.lower() for head in heads]
        self.assertEqual(came, [False, False, True, True])
        gone = b'event: problem\ndata: {"code":"task.unknown","status":404}\n\n'
        url, _ = self.script(self.answer(200, gone))
        with self.assertRaises(AureoleError) as refused:
            list(Aureole(url).events("tsk_1"))
        self.assertEqual(refused.exception.code, "task.unknown")

    def test_a_key_is_not_made_twice(self):
        url, heads = self.script(b"")
        with self.assertRaises(AureoleError):
            Aureole(url).create_key("acme", "author")
        self.assertEqual(len(heads), 1)

    def test_a_test_event_is_not_sent_twice(self):
        url, heads = self.script(b"")
        with self.assertRaises(AureoleError) as lost:
            Aureole(url).test_webhook("whk_1")
        self.assertIsNone(lost.exception.code)
        self.assertEqual(len(heads), 1)

    def test_a_redirect_is_not_followed(self):
        url, _ = self.script(self.answer(302, b"", b"location: http://127.0.0.1:1/\r\n"))
        with self.assertRaises(AureoleError) as refused:
            Aureole(url, key="aur_k").plugins()
        self.assertEqual(refused.exception.status, 302)

    def test_only_an_address_of_a_node_is_taken(self):
        for url in ("", "localhost:8080", "file:///etc/passwd", "http://a/api/v1", "http://a/?x"):
            with self.assertRaises(ValueError):
                Aureole(url)


class Webhooks(unittest.TestCase):
    def test_a_signature_binds_id_time_and_body(self):
        key, body = b"\x07" * 32, b'{"type":"task.done"}'
        secret = "whsec_" + base64.b64encode(key).decode()
        tag = hmac.new(key, b"evt_1.1700000000." + body, hashlib.sha256).digest()
        headers = {
            "Webhook-Id": "evt_1",
            "Webhook-Timestamp": "1700000000",
            "Webhook-Signature": "v1,AAAA v1," + base64.b64encode(tag).decode(),
        }
        event = verify_webhook(secret, headers, body, now=1700000010)
        self.assertEqual(event, {"type": "task.done"})
        for change in (
            {"now": 1700001000},
            {"body": body + b" "},
            {"headers": dict(headers, **{"Webhook-Id": "evt_2"})},
            {"headers": {}},
            {"secret": "whsec_" + base64.b64encode(b"\x08" * 32).decode()},
            {"secret": "x"},
        ):
            given = dict({"secret": secret, "headers": headers, "body": body, "now": 1700000010}, **change)
            with self.assertRaises(ValueError, msg=str(change)):
                verify_webhook(**given)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
