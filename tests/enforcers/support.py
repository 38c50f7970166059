"""What the enforcers' tests share: hosts as the watch tells them, real processes, stand-ins that speak HTTP."""

import http.server
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ENFORCERS = SOURCE / "deploy" / "enforcers"
PATIENCE = 30  # seconds
A, B, C = (f"h-{digit * 32}" for digit in "abc")


def host(host_id, trust="quarantined", **more):
    return {"host_id": host_id, "trust": trust, "shut_out": trust in ("quarantined", "investigating", "remediated"),
            "since": "2026-11-23T02:00:00Z", "hostname": "told-by-host", "labels": {}, "reasons": ["SECURE_BOOT_OFF"],
            "why": "Secure Boot is off", "incident_id": "i-0011223344556677", "shut_out_by": "", "verdict_id": "v-1",
            "revision": 3, **more}


def message(token="", **event):
    """As the gatekeeper's client prints it: each member, set or not."""
    return {"snapshot": None, "change": None, "heartbeat": None, **event, "resume_token": token}


def snapshot(*hosts, complete=True):
    return message(snapshot={"entries": list(hosts), "snapshot_complete": complete})


def change(entry, before="trusted"):
    return message("t", change={"number": 7, "at": "2026-11-23T02:00:01Z", "before": before, "after": entry["trust"],
                                "why": entry["why"], "entry": entry})


HEARTBEAT = message("t", heartbeat={"at": None, "number": 7})


def lines(*messages):
    return "".join(json.dumps(one) + "\n" for one in messages)


def eventually(holds, text="it did not come about"):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = holds()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(text)


class Enforcer:
    """An enforcer as a process; its watch is what the test writes, or a command."""

    def __init__(self, program, *options, watch=None, env=None):
        command = [sys.executable, str(ENFORCERS / program), *options]
        command += ["--stdin"] if watch is None else ["--", *watch]
        self.errors = tempfile.TemporaryFile("w+")
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self.output, stderr=self.errors, text=True,
                                        env={**os.environ, **(env or {})})

    def say(self, *messages):
        self.process.stdin.write(lines(*messages))
        self.process.stdin.flush()

    def log(self):
        self.errors.flush()
        return pathlib.Path(f"/proc/self/fd/{self.errors.fileno()}").read_text()

    def out(self):
        return pathlib.Path(f"/proc/self/fd/{self.output.fileno()}").read_text()

    def said(self, text):
        eventually(lambda: text in self.log(), f"not said: {text}\n{self.log()}")

    def wait(self):
        return self.process.wait(PATIENCE)

    def close_watch(self):
        self.process.stdin.close()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        self.errors.close()
        self.output.close()


class EnforcerTest(unittest.TestCase):
    program = ""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def options(self):
        return []

    def start(self, *options, **more):
        enforcer = Enforcer(self.program, *self.options(), *options, **more)
        self.addCleanup(enforcer.end)
        return enforcer

    def once(self, *messages, options=()):
        """Agrees with one snapshot; the process, ended."""
        enforcer = self.start("--once", *options)
        enforcer.say(*messages)
        enforcer.code = enforcer.wait()
        return enforcer

    def watch_file(self, *messages):
        """The command of a watch that says this and goes on without a word."""
        path = self.folder / "watch.jsonl"
        path.write_text(lines(*messages))
        return ["sh", "-c", 'cat "$0"; exec sleep 600', str(path)]


def make_certificate(folder):
    """A certificate for 127.0.0.1, and its key."""
    certificate, key = folder / "server.pem", folder / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=stand-in", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                    certificate], check=True, capture_output=True)
    return certificate, key


class StandIn:
    """An HTTP server in this process: `answer(method, path, headers, body)` gives (status, JSON)."""

    def __init__(self, test, certificate=None, key=None):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                with outer.lock:
                    outer.asked.append((self.command, self.path))
                    status, answer = outer.answer(self.command, self.path, self.headers, body)
                data = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve

            def log_message(self, *_):
                pass

        self.lock = threading.RLock()
        self.asked = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_address[1]}"
        thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        thread.start()
        test.addCleanup(thread.join)
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)

    def answer(self, method, path, headers, body):
        raise NotImplementedError
