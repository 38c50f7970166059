"""The enforcers beside a real gatekeeper with real hosts on software TPMs: out, over a restart, and back again.

nftables is the kernel's where a network namespace may be made (run.py), else a stand-in. BOOTGATE_BIN: the programs.
"""

import base64
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request

from support import SOURCE, Enforcer, StandIn, eventually
from test_alertmanager import Alertmanager
from test_kubernetes import ApiServer
from test_nftables import NFT, members, nft

BIN = pathlib.Path(os.environ.get("BOOTGATE_BIN", SOURCE / "build" / "release" / "bin"))
GOOD = SOURCE / "tests" / "corpus" / "boots" / "good"
COMMAND_TIMEOUT = 120  # seconds
GENEROUS = 10  # seconds: sanitizers, a busy machine; the promise is one


def run(program, *arguments):
    command = [str(BIN / program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT, check=False,
                          env={**os.environ, "TSS2_LOG": "all+NONE"})
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


EK_CERTIFICATES = ("0x1c00002", "0x1c00016")  # NV indices: RSA 2048, and what else swtpm makes
SECRET = 24  # bytes that are looked for, of each
ALL_SPACE = re.compile(rb"[\s:\\]|\\n")


def spellings(secret):
    """These bytes as they are, in hex, and in base64 wherever they begin."""
    out = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for start in range(3):
        middle = base64.b64encode(secret[start:start + (SECRET - 2) // 3 * 3])
        out |= {middle, middle.replace(b"+", b"-").replace(b"/", b"_")}
    return out


class Receiver(StandIn):
    """Keeps what a webhook is told."""

    def __init__(self, test):
        self.bodies = []
        super().__init__(test)

    def answer(self, method, path, headers, body):
        self.bodies.append(body + str(headers).encode())
        return 200, None


class LiveTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.gate = self.folder / "gatekeeper"
        self.process = None
        os.environ["NFT_STAND_IN"] = str(self.folder / "tables")
        nft("flush", "ruleset")

    # ---- the gatekeeper

    def verb(self, *arguments):
        return run("bootgate-gatekeeper", *arguments, "--dir", self.gate)

    def make_gatekeeper(self, desk):
        run("bootgate-gatekeeper", "init", "--dir", self.gate, "--cluster-id", "live", "--trust-domain", "live.example",
            "--listen", f"127.0.0.1:{free_port()}", "--http-listen", http := f"127.0.0.1:{free_port()}")
        self.http = http
        self.operators = f"127.0.0.1:{free_port()}"
        path = self.gate / "gatekeeper.toml"
        text = re.sub(r"(?m)^roots = .*", f'roots = ["{desk["ek_root"]}", "{desk["ek_issuer"]}"]', path.read_text())
        text, replaced = re.subn(r"(?m)^operators = .*", f'operators = "{self.operators}"', text)
        self.assertEqual(replaced, 1, text)
        path.write_text(text)
        self.verb("policy", "activate", SOURCE / "deploy" / "policies" / "secure-boot.policy")
        self.verb("ca", "operator", "issue", "enforcer", "--role", "incident-tool", "--out", made := self.folder / "enforcer")
        (made / "identity.pem").write_text((made / "enforcer.pem").read_text() + (made / "enforcer.key").read_text())

    def start_gatekeeper(self, *options):
        port = self.folder / "port"
        port.unlink(missing_ok=True)
        with open(self.folder / "gatekeeper.log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([str(BIN / "bootgate-gatekeeper"), "run", "--dir", str(self.gate),
                                             "--port-file", str(port), *options], stdout=log, stderr=log)
        self.addCleanup(self.stop, self.process)
        eventually(lambda: port.exists() and port.read_text(), "the gatekeeper did not start")
        self.agents_port = port.read_text().strip()

    @staticmethod
    def stop(process):
        if process.poll() is None:
            process.terminate()
            process.wait(COMMAND_TIMEOUT)

    # ---- hosts

    def desk_up(self, name):
        folder = self.folder / name
        run("bootgate-desk", "up", folder, "--case", GOOD, "--ca", self.folder / "tpm-vendor")
        self.addCleanup(run, "bootgate-desk", "down", folder)
        desk = json.loads(run("bootgate-desk", "show", folder))
        (self.folder / f"{name}.toml").write_text(f'''
state_folder = "{folder}.state"
runtime_folder = "{folder}.run"
boot_log = "{folder}/boot_log"
user_log = "{folder}/user_log"
ima_list = "{folder}/ima"
kernel_boot_id = "{folder}/boot_id"
[tpm]
tcti = "{desk["tcti"]}"
[credential]
require_tmpfs = false
''')
        return desk

    def agent(self, name, *arguments):
        return run("bootgate-agent", *arguments, "--config", self.folder / f"{name}.toml")

    def start_agent(self, name):
        """As the host's service: it lets go of a revoked certificate by itself."""
        with open(self.folder / f"{name}.log", "a", encoding="utf-8") as log:
            process = subprocess.Popen([str(BIN / "bootgate-agent"), "run", "--config", str(self.folder / f"{name}.toml")],
                                       stdout=log, stderr=log, env={**os.environ, "TSS2_LOG": "all+NONE"})
        self.addCleanup(self.stop, process)

    def join(self, name, **labels):
        """The host's id; it is trusted."""
        token = self.folder / f"{name}.join"
        more = [word for label in labels.items() for word in ("--label", "=".join(label))]
        self.verb("join-token", "create", "--out", token, "--address", "127.0.0.1:" + self.agents_port, "--approve", *more)
        host = re.search("h-[0-9a-f]{32}", self.agent(name, "join", token))[0]
        self.agent(name, "attest", "--once")
        return host

    # ---- enforcers

    def enforce(self, program, *options):
        made = self.folder / "enforcer"
        watch = [str(BIN / "bootgate-gatekeeper"), "quarantine", "watch", "-o", "json", "--server", self.operators,
                 "--identity", str(made / "identity.pem"), "--ca", str(made / "roots.pem"), "--heartbeat", "1"]
        enforcer = Enforcer(program, *options, watch=watch)
        self.addCleanup(enforcer.end)
        return enforcer

    def release(self, host):
        """The one way back, as far as operators go."""
        incident = re.search("i-[0-9a-f]{16}", self.verb("incident", "list", "--host", host, "-o", "json"))[0]
        self.verb("quarantine", "investigate", host, "--note", "who opened the lid?")
        self.verb("incident", "resolve", incident, "--root-cause", "a technician", "--disposition", "misconfiguration",
                  "--ticket", "T-1")
        self.verb("quarantine", "release", host, "--reason", "T-1")

    def test_out_over_a_restart_of_the_gatekeeper_and_back_again(self):
        self.make_gatekeeper(self.desk_up("one"))
        self.desk_up("two")
        self.start_gatekeeper()
        one = self.join("one", address="10.7.0.1", node="n1")
        two = self.join("two", address="10.7.0.2", node="n2")
        api, alerts = ApiServer(self, "n1", "n2", "n3"), Alertmanager(self)
        token = self.folder / "token"
        token.write_text("token-1")
        nftables = self.enforce("bootgate-nftables", "--nft", NFT)
        kubernetes = self.enforce("bootgate-kubernetes", "--server", api.url, "--token-file", str(token), "--ca-file", "")
        alertmanager = self.enforce("bootgate-alertmanager", "--alertmanager", alerts.url, "--cluster", "live")
        eventually(lambda: members("quarantined4") == set(), nftables.log())

        begin = time.monotonic()
        self.verb("quarantine", "add", one, "--reason", "the lid was open")
        committed = time.monotonic()
        eventually(lambda: members("quarantined4") == {"10.7.0.1"})
        took = time.monotonic() - committed
        print(f"quarantine add: {committed - begin:.3f} s; from its end to the nftables set: {took:.3f} s "
              f"({'the kernel' if NFT == 'nft' else 'a stand-in'})")
        self.assertLess(took, GENEROUS)
        eventually(lambda: api.tainted() == {"n1"}, kubernetes.log())
        eventually(lambda: alerts.hosts() == {one}, alertmanager.log())

        # The gatekeeper is away; what it decides meanwhile is told when it is back, and nobody is let go.
        self.stop(self.process)
        self.verb("quarantine", "add", two, "--reason", "its neighbour's lid was open")
        self.assertEqual(members("quarantined4"), {"10.7.0.1"})
        self.start_gatekeeper()
        eventually(lambda: members("quarantined4") == {"10.7.0.1", "10.7.0.2"}, nftables.log())
        eventually(lambda: api.tainted() == {"n1", "n2"}, kubernetes.log())
        eventually(lambda: alerts.hosts() == {one, two}, alertmanager.log())
        self.assertNotIn('"change": "out"', nftables.log())
        self.assertNotIn("taint taken away", kubernetes.log())

        # A release alone opens nothing: it takes a later boot that passes.
        self.release(one)
        eventually(lambda: one in self.verb("quarantine", "list", "-o", "json"))
        self.assertEqual(members("quarantined4"), {"10.7.0.1", "10.7.0.2"})
        run("bootgate-desk", "reboot", self.folder / "one", "--case", GOOD)
        self.start_agent("one")
        eventually(lambda: members("quarantined4") == {"10.7.0.2"}, nftables.log())
        self.verb("host", "retire", two, "--reason", "sold")
        eventually(lambda: members("quarantined4") == set(), nftables.log())
        eventually(lambda: api.tainted() == set(), kubernetes.log())
        eventually(lambda: alerts.hosts() == set(), alertmanager.log())

    def secrets_of(self, desk):
        """Of each EK: a piece of its public key, and of its certificate's signature."""
        out = []
        for index in EK_CERTIFICATES:
            read = subprocess.run(["tpm2_nvread", index], capture_output=True, check=True,
                                  env={**os.environ, "TPM2TOOLS_TCTI": desk["tcti"], "TSS2_LOG": "all+NONE"}).stdout
            key = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-pubkey"], input=read,
                                 capture_output=True, check=True).stdout
            key = base64.b64decode(b"".join(key.splitlines()[1:-1]))
            length = 4 + int.from_bytes(read[2:4], "big")
            out += [key[-SECRET - 16:-16], read[length - SECRET - 16:length - 16]]
        return out

    def test_A88_nothing_but_evidence_has_what_names_a_tpm_outside(self):
        desk = self.desk_up("one")
        secrets = self.secrets_of(desk)
        self.make_gatekeeper(desk)
        receiver = Receiver(self)
        key = self.folder / "hook.key"
        key.touch(0o600)
        key.write_text("whsec_" + base64.b64encode(bytes(range(32))).decode())
        with open(self.gate / "gatekeeper.toml", "a", encoding="utf-8") as file:
            file.write(f'\n[[webhook]]\nname = "all"\nurl = "{receiver.url}/hook"\nsecret_file = "{key}"\n')
        self.start_gatekeeper("--verbose")
        host = self.join("one", site="a")
        run("bootgate-desk", "reboot", self.folder / "one", "--case", GOOD.parent / "secure-boot-off")
        with self.assertRaisesRegex(AssertionError, "exit code 6"):
            self.agent("one", "attest", "--once")
        eventually(lambda: any(b'"after":"quarantined"' in body for body in receiver.bodies))
        incident = re.search("i-[0-9a-f]{16}", self.verb("incident", "list", "--host", host, "-o", "json"))[0]
        with urllib.request.urlopen(f"http://{self.http}/metrics", timeout=GENEROUS) as answer:
            told = {"metrics": answer.read()}
        told["log"] = (self.folder / "gatekeeper.log").read_bytes()
        told["webhook"] = b"\n".join(receiver.bodies)
        for verb in ("quarantine watch --once", "quarantine list", f"quarantine show {host}", "host list",
                     f"host show {host}", f"host timeline {host}", "audit list", f"incident show {incident}",
                     f"incident diff {incident}", "verdict list"):
            try:
                told[verb] = self.verb(*verb.split(), "-o", "json").encode()
            except AssertionError as error:  # nothing to compare with: what it says counts, too
                told[verb] = str(error).encode()
                self.assertIn("incident diff", verb, error)
        self.assertIn(b"\"ready\"", told["log"])
        self.assertIn(b"bootgate_", told["metrics"])
        for name, text in told.items():
            plain = ALL_SPACE.sub(b"", text)
            for secret in secrets:
                for spelling in spellings(secret):
                    self.assertNotIn(spelling, text if spelling == secret else plain, name)
        # They would be found: evidence has the certificate that was sent.
        archive = self.folder / "incident.tar"
        self.verb("incident", "export", incident, "--out", archive)
        self.assertTrue(any(secret in archive.read_bytes() for secret in secrets))


if __name__ == "__main__":
    unittest.main()
