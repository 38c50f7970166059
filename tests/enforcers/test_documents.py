"""The examples of docs/enforcement.md do what they say, and units and READMEs name what there is."""

import base64
import hashlib
import hmac
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from support import ENFORCERS, SOURCE

PAGE = (SOURCE / "docs" / "enforcement.md").read_text()
SECRET = "whsec_" + base64.b64encode(b"\x01" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"\x02" * 32).decode()
# What the gatekeeper's own test has for this key (gatekeeper/webhook/delivery_test.cc).
ID, STAMP, BODY = "prod-a:42", 1_800_000_000, b"{}"
SIGNATURE = "v1,hoI2H9HNIrokGpRLwbc7BU9eJ9zR6hHRyyoEvDZtafQ="


def example(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.S).group(1)


def signature_at(stamp):
    mac = hmac.new(b"\x01" * 32, f"{ID}.{stamp}.".encode() + BODY, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


class PythonExampleTest(unittest.TestCase):
    def setUp(self):
        scope = {}
        exec(example("python"), scope)
        self.is_genuine = scope["is_genuine"]
        self.headers = {"webhook-id": ID, "webhook-timestamp": str(STAMP), "webhook-signature": SIGNATURE}

    def test_a_delivery_of_the_gatekeeper_is_genuine(self):
        self.assertTrue(self.is_genuine(SECRET, self.headers, BODY, STAMP + 10))
        self.headers["webhook-signature"] = "v1,AAAA " + SIGNATURE
        self.assertTrue(self.is_genuine(SECRET, self.headers, BODY, STAMP - 10))

    def test_anything_else_is_not(self):
        self.assertFalse(self.is_genuine(OTHER, self.headers, BODY, STAMP))
        self.assertFalse(self.is_genuine(SECRET, self.headers, b"{} ", STAMP))
        self.assertFalse(self.is_genuine(SECRET, self.headers, BODY, STAMP + 301))
        self.assertFalse(self.is_genuine(SECRET, self.headers, BODY, STAMP - 301))
        for name, value in (("webhook-id", "prod-a:43"), ("webhook-timestamp", str(STAMP + 1)),
                            ("webhook-timestamp", "x"), ("webhook-signature", SIGNATURE.replace("v1,", "v2,")),
                            ("webhook-signature", "v1,\u00e4"), ("webhook-signature", "")):
            with self.subTest(name, value=value):
                self.assertFalse(self.is_genuine(SECRET, {**self.headers, name: value}, BODY, STAMP))


class ShellExampleTest(unittest.TestCase):
    def said(self, stamp, signature, secret=SECRET, body=BODY):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "body.json").write_bytes(body)
            env = {**os.environ, "SECRET": secret, "ID": ID, "STAMP": str(stamp), "SIGNATURE": signature}
            return subprocess.run(["sh", "-eu", "-c", example("sh") + "\n:"], cwd=folder, env=env, capture_output=True,
                                  text=True, check=True).stdout

    def test_it_knows_a_delivery_from_anything_else(self):
        now = int(time.time())
        self.assertEqual(self.said(now, signature_at(now)), "genuine\n")
        self.assertEqual(self.said(now, "v1,AAAA " + signature_at(now)), "genuine\n")
        self.assertEqual(self.said(now, signature_at(now), secret=OTHER), "")
        self.assertEqual(self.said(now, signature_at(now), body=b"{ }"), "")
        self.assertEqual(self.said(now, signature_at(now + 1)), "")
        self.assertEqual(self.said(STAMP, SIGNATURE), "", "too far from now")


class UnitsTest(unittest.TestCase):
    def test_systemd_finds_no_fault_and_they_reach_little(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("there is no systemd-analyze")
        for unit in sorted(ENFORCERS.glob("*.service")):
            with self.subTest(unit.name), tempfile.TemporaryDirectory() as folder:
                text = unit.read_text().replace("/usr/lib/bootgate/enforcers", str(ENFORCERS))
                here = pathlib.Path(folder) / unit.name
                here.write_text(text.replace("EnvironmentFile=", "EnvironmentFile=-"))
                verified = subprocess.run(["systemd-analyze", "verify", "--man=no", here], capture_output=True, text=True,
                                          check=False)
                self.assertEqual((verified.returncode, verified.stdout + verified.stderr), (0, ""))
                subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", here], check=True,
                               capture_output=True)

    def test_what_is_installed_is_what_there_is(self):
        readme = (ENFORCERS / "README.md").read_text()
        for file in ENFORCERS.iterdir():
            if file.suffix != ".service" and file.name not in ("README.md", "__pycache__"):
                self.assertIn(file.name, readme)

    def test_each_program_has_help(self):
        for program in ("bootgate-nftables", "bootgate-kubernetes", "bootgate-alertmanager"):
            run = subprocess.run([ENFORCERS / program, "--help"], capture_output=True, text=True, check=True)
            for option in ("--once", "--dry-run", "--stdin", "--resync", "--refresh", "--silence"):
                self.assertIn(option, run.stdout)


if __name__ == "__main__":
    unittest.main()
