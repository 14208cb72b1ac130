"""The client against a real node: `test_aureole.py NODE COMPONENT`, with the API key in AUREOLE_KEY."""

import base64
import hashlib
import hmac
import os
import socket
import sys
import threading
import unittest

from aureole import Aureole, AureoleError, TaskFailed, verify_webhook

NODE, COMPONENT = sys.argv[1:3]
KEY = os.environ.get("AUREOLE_KEY")
INPUT = {"leaves": ["0x%064x" % leaf for leaf in (1, 2, 3)], "leaf_index": 1}


class Proving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Aureole(NODE, key=KEY)
        cls.plugin = cls.node.upload(COMPONENT)

    def test_a_component_becomes_a_plugin_and_an_input_a_proof_that_verifies(self):
        self.assertEqual((self.plugin["name"], self.plugin["state"]), ("merkle", "ready"))
        self.assertIn("merkle", [plugin["name"] for plugin in self.node.plugins()])
        again = self.node.upload(open(COMPONENT, "rb").read())
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

    def test_the_node_is_ready(self):
        self.assertTrue(self.node.ready()["ready"])


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
