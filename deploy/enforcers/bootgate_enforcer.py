"""What the enforcers share: who is quarantined, as the gatekeeper tells it, line by line.

An enforcer reads `bootgate-gatekeeper quarantine watch -o json` (one JSON object a line: a snapshot in
one or more parts, then changes and heartbeats) and makes something else agree with it. The rules that
all of them keep:

- What was enforced stays enforced while the gatekeeper is silent, unreachable or talks nonsense. Only a
  complete snapshot, or a change that says so, lets a host go.
- A snapshot that would let go of many at once (a gatekeeper that lost its store, or another one's) is not
  believed: what it would let go stays until an operator confirms it.
- What cannot be done now is tried again, with growing pauses; meanwhile the watch is read on.
- The other side is compared as a whole at the start, after each snapshot and every --resync seconds.

Python 3.11 and its standard library, nothing else.
"""

import argparse
import dataclasses
import http.client
import json
import os
import queue
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

DEFAULT_WATCH = ["bootgate-gatekeeper", "quarantine", "watch", "-o", "json"]
MAX_LINE = 16 << 20  # bytes; a part of a snapshot is far smaller
MAX_HOSTS = 1_000_000
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between tries
QUEUE_LINES = 10_000  # then reading waits
AT_ONCE = 1000  # lines, before what they say is enforced
HOST_ID = re.compile(r"h-[0-9a-f]{32}")
UNREADABLE = "RECORD_CORRUPT"  # a reason
SHUT_OUT = ("quarantined", "investigating", "remediated")
MOST_VANISHED, MOST_VANISHED_SHARE = 3, 0.1  # that one snapshot may let go: the larger of the two
NAMED_IN_LOG = 20  # of those that are held


class EnforcerError(Exception):
    """The other side could not be made to agree; it is tried again."""


class WatchError(Exception):
    """The watch said something that is none of its lines."""


def log(message, **fields):
    """One JSON object a line on standard error, for journald."""
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "message": message, **fields}
    print(json.dumps(line, default=str), file=sys.stderr, flush=True)


def notify(text):
    """Tells systemd (Type=notify); without systemd, nothing."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            to.sendto(text.encode(), address)
    except OSError as error:
        log("systemd was not told", error=error)


# ---- what the watch says -----------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Entry:
    """A host that is cut off, restricted or held. hostname, why: in the end a host's own words."""

    host_id: str
    trust: str
    shut_out: bool
    since: str = ""
    hostname: str = ""
    labels: dict = dataclasses.field(default_factory=dict, hash=False)
    reasons: tuple = ()
    why: str = ""
    incident_id: str = ""
    shut_out_by: str = ""


def member(of, name, kind, default):
    """A member of a JSON object; not there, or null: the default. Also under protobuf's other spelling (hostId)."""
    head, *rest = name.split("_")
    value = of.get(name, of.get(head + "".join(word.capitalize() for word in rest)))
    if value is None:
        return default
    if not isinstance(value, kind):
        raise WatchError(f"{name} is no {kind.__name__}")
    return value


def trust_of(text):
    return text.removeprefix("TRUST_STATE_").lower()


def entry_of(value):
    if not isinstance(value, dict):
        raise WatchError("an entry is no object")
    host_id = member(value, "host_id", str, "")
    if not HOST_ID.fullmatch(host_id):
        raise WatchError("an entry without a host id")
    trust = trust_of(member(value, "trust", str, ""))
    labels = member(value, "labels", dict, {})
    return Entry(
        host_id=host_id,
        trust=trust,
        # What is said and what the state means: either keeps the host out.
        shut_out=member(value, "shut_out", bool, False) or trust in SHUT_OUT,
        since=member(value, "since", str, ""),
        hostname=member(value, "hostname", str, ""),
        labels={str(name): str(text) for name, text in labels.items()},
        reasons=tuple(str(reason) for reason in member(value, "reasons", list, [])),
        why=member(value, "why", str, ""),
        incident_id=member(value, "incident_id", str, ""),
        shut_out_by=member(value, "shut_out_by", str, ""),
    )


KEPT = SHUT_OUT + ("restricted", "suspect")


class View:
    """Who is cut off, restricted or held, by host id. Pure: lines in, view out."""

    def __init__(self):
        self.entries = {}
        self.complete = False  # a whole snapshot was read, ever
        self.snapshots = 0  # whole ones so far
        self._parts = None  # of the snapshot that is being read

    def feed(self, line):
        """Takes one line. What may have moved in `entries`: "all" (a snapshot is whole now), "one", or nothing: ""."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise WatchError(f"no JSON: {error}") from None
        if not isinstance(message, dict):
            raise WatchError("no object")
        if message.get("snapshot") is not None:
            return self._snapshot(member(message, "snapshot", dict, {}))
        if message.get("change") is not None:
            return self._change(member(message, "change", dict, {}))
        if message.get("heartbeat") is not None:
            return ""
        raise WatchError("neither snapshot, change nor heartbeat")

    def _snapshot(self, part):
        if self._parts is None:
            self._parts = {}
        for value in member(part, "entries", list, []):
            entry = self._as_known(entry_of(value))
            if entry.trust in KEPT or entry.shut_out:
                self._parts[entry.host_id] = entry
        if len(self._parts) > MAX_HOSTS:
            raise WatchError(f"more than {MAX_HOSTS} hosts")
        if not member(part, "snapshot_complete", bool, False):
            return ""
        self.entries, self._parts, self.complete = self._parts, None, True
        self.snapshots += 1
        return "all"

    def _change(self, change):
        if self._parts is not None or not self.complete:
            raise WatchError("a change before the snapshot is complete")
        entry = self._as_known(entry_of(member(change, "entry", dict, {})))
        if entry.trust in KEPT or entry.shut_out:
            self.entries[entry.host_id] = entry
        else:
            self.entries.pop(entry.host_id, None)
        return "one"

    def _as_known(self, entry):
        """What was known of a host still holds when the gatekeeper cannot read its record any more."""
        known = self.entries.get(entry.host_id)
        if known is None or UNREADABLE not in entry.reasons:
            return entry
        return dataclasses.replace(entry, labels=known.labels, hostname=known.hostname)

    def begin_again(self):
        """A new watch begins: what is known stays until its snapshot is whole."""
        self._parts = None

    def unreadable(self):
        """Hosts that the gatekeeper cannot read in its store: nobody knows their labels, names or addresses."""
        return sorted(host for host, entry in self.entries.items() if UNREADABLE in entry.reasons)

    def shut_out(self):
        return {host: entry for host, entry in self.entries.items() if entry.shut_out}


class Guard:
    """Keeps what a snapshot would let go when that is too much to be true.

    Changes name whom they let go and are believed. A snapshot lets go of whoever is not in it: a gatekeeper with an
    empty new store would let go of all. So: more than 3, and more than a tenth of what is enforced, that vanish with
    a snapshot (or are there at the start and not in the first one) are held until they are wanted again, a run with
    --confirm-release lets them go, or somebody takes them away by hand. While the gatekeeper cannot read a host's
    record, whoever vanishes may be that host: all are held.
    """

    def __init__(self, confirmed):
        self.confirmed = confirmed
        self.held = set()
        self._too_many = set()  # of them: for their number
        self._wanted = set()  # as of the last call
        self._let_go = set()  # by changes, and not yet gone
        self._snapshots = 0

    def keep(self, there, wanted, view, tell=True):
        """What of `there` stays although it is not wanted."""
        there, wanted = set(there), set(wanted)
        if view.snapshots == self._snapshots:
            self._let_go |= self._wanted - wanted
        self._snapshots, self._wanted = view.snapshots, wanted
        self._let_go = self._let_go & there - wanted
        vanished = there - wanted - self._let_go
        too_many = self._too_many & vanished
        if len(vanished - too_many) > max(MOST_VANISHED, MOST_VANISHED_SHARE * len(there)):
            too_many = vanished
        self._too_many = too_many
        held = vanished if view.unreadable() else too_many
        if self.confirmed:
            held = self._too_many = set()
        if held and (tell or held != self.held):
            self._tell(held, there, view.unreadable())
        self.held = held
        return held

    @staticmethod
    def _tell(held, there, unreadable):
        some = {"held": len(held), "enforced": len(there), "some": sorted(map(str, held))[:NAMED_IN_LOG]}
        if unreadable:
            log("HELD: the gatekeeper cannot read all of its hosts; whoever is missing may be one of them", **some,
                unreadable=unreadable[:NAMED_IN_LOG],
                way_out="restore the store; or, when this is right, run once with --once "
                        "--confirm-release")
            return
        log("HELD: the gatekeeper's snapshot would let go of too many at once; they stay cut off until "
            "an operator confirms", **some,
            perhaps="the gatekeeper lost its store, or this is another gatekeeper",
            way_out="restore the store; or, when this is right, run once with --once --confirm-release")


# ---- where the lines come from -----------------------------------------------------------------


class Source:
    """A watch: standard input, or a command that is started. Its lines come out of `lines`, None at the end."""

    def __init__(self, command):
        self.lines = queue.Queue(QUEUE_LINES)
        self.command = command
        self._child = None
        stream = open(0, "rb", closefd=False)  # not sys.stdin: the interpreter's end would wait for its lock
        if command:
            try:
                self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            except OSError as error:
                log("the watch cannot be started", command=command[0], error=error)
                self.lines.put(None)
                return
            stream = self._child.stdout
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        try:
            while True:
                line = stream.readline(MAX_LINE + 1)
                if not line or len(line) > MAX_LINE:
                    break
                if line.strip():
                    self.lines.put(line)
        except (OSError, ValueError) as error:
            log("the watch cannot be read", error=error)
        self.lines.put(None)

    def end(self):
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()
        self._child = None


# ---- HTTP --------------------------------------------------------------------------------------

HTTP_TIMEOUT = 10  # seconds, for one wait
MAX_ANSWER = 64 << 20  # bytes


def check_url(text):
    """The parts of an http or https URL; http only to this very machine. ValueError says what is wrong."""
    url = urllib.parse.urlsplit(text)
    if url.scheme not in ("https", "http") or not url.hostname or url.username or url.query or url.fragment:
        raise ValueError(f"{text}: an https URL without user, query and fragment is wanted")
    if url.scheme == "http" and url.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError(f"{text}: http only to this machine; use https")
    return url


class HttpClient:
    """JSON over HTTP to one server; certificates are always verified, redirects never followed."""

    def __init__(self, url, ca_file="", token_file=""):
        self.url = check_url(url)
        self.base = self.url.path.rstrip("/")
        self.token_file = token_file
        self.tls = None
        if self.url.scheme == "https":
            self.tls = ssl.create_default_context(cafile=ca_file or None)
            self.tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def ask(self, method, path, body=None, content_type="application/json"):
        """(status, JSON or None). EnforcerError: there was no answer, or none that can be read."""
        headers = {"Accept": "application/json", "User-Agent": "bootgate-enforcer", "Connection": "close"}
        if body is not None:
            headers["Content-Type"] = content_type
        if self.token_file:
            headers["Authorization"] = "Bearer " + self.token()
        try:
            connection = self.connection()
            try:
                connection.request(method, self.base + path, None if body is None else json.dumps(body), headers)
                answer = connection.getresponse()
                data = answer.read(MAX_ANSWER + 1)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EnforcerError(f"{self.url.netloc}: {error}") from None
        if len(data) > MAX_ANSWER:
            raise EnforcerError(f"{self.url.netloc}: the answer is longer than {MAX_ANSWER} bytes")
        try:
            return answer.status, json.loads(data) if data.strip() else None
        except (ValueError, RecursionError):
            return answer.status, None

    def connection(self):
        if self.tls is not None:
            return http.client.HTTPSConnection(self.url.hostname, self.url.port, timeout=HTTP_TIMEOUT, context=self.tls)
        return http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=HTTP_TIMEOUT)

    def token(self):
        """Read anew for each call: such tokens are renewed in place."""
        try:
            with open(self.token_file, encoding="ascii") as file:
                return file.read(65536).strip()
        except (OSError, ValueError) as error:
            raise EnforcerError(f"{self.token_file}: {error}") from None


# ---- the loop ----------------------------------------------------------------------------------


class Stop(Exception):
    pass


def raise_stop(*_):
    raise Stop


class Pause:
    """Growing pauses between tries: 1 s, 2 s, ... a minute, each shortened by chance."""

    def __init__(self):
        self.reset()

    def reset(self):
        self._next, self.until = FIRST_PAUSE, 0.0

    def begin(self):
        self.until = time.monotonic() + self._next * random.uniform(0.5, 1)
        self._next = min(2 * self._next, LONGEST_PAUSE)

    def over(self):
        return time.monotonic() >= self.until


class Loop:
    """Reads the watch and calls `enforcer.enforce(view, whole)` whenever there is something to do.

    enforce makes the other side agree with the view; `whole`: compare all of it, not just what moved since the
    last call. It raises EnforcerError when that failed. `enforcer.silent(is_silent)`, where there is one, is told
    when the gatekeeper falls silent, again each resync, and when it speaks again.
    """

    def __init__(self, enforcer, options):
        self.enforcer, self.options = enforcer, options
        self.view = View()
        self.source = None
        self.restart, self.retry = Pause(), Pause()
        self.dirty = False  # the other side may not agree
        self.whole = True
        self.resync_at = 0.0
        self.heard_at = self.began_at = time.monotonic()  # the last line; the watch
        self.is_silent = False
        self.silent_again_at = 0.0
        self.is_ready = False

    def run(self):
        """The exit code."""
        signal.signal(signal.SIGTERM, raise_stop)
        signal.signal(signal.SIGINT, raise_stop)
        try:
            while True:
                code = self.step()
                if code is not None:
                    return code
        except Stop:
            return 0
        finally:
            if self.source is not None:
                self.source.end()

    def step(self):
        self.keep_watching()
        ended = self.read()
        if self.view.complete and self.due():
            self.enforce()
        if self.options.once and self.view.complete:
            return 1 if self.dirty or self.held() else 0
        self.check_silence()
        return self.lost("the watch ended") if ended else None

    def keep_watching(self):
        if self.source is None and self.restart.over():
            self.view.begin_again()
            self.source = Source(None if self.options.stdin else self.options.watch)
            self.began_at = time.monotonic()

    def lost(self, why):
        """The watch is gone; what is enforced stays so. The exit code, or None to go on."""
        log(why + "; what is enforced stays", hosts=len(self.view.entries))
        self.leave()
        self.restart.begin()
        return 1 if self.options.stdin or self.options.once else None

    def leave(self):
        if self.source is not None:
            self.source.end()
            self.source = None

    def timeout(self):
        """Seconds until something is due without a line."""
        now = time.monotonic()
        dues = [max(self.heard_at, self.began_at) + self.options.silence, self.began_at + self.options.refresh]
        dues.append(self.silent_again_at if self.is_silent else self.heard_at + self.options.silence)
        if self.source is None:
            dues.append(self.restart.until)
        if self.view.complete:
            dues.append(self.retry.until if self.dirty else self.resync_at)
        return max(0.02, min(dues) - now)

    def read(self):
        """Takes all lines that are there, waiting for the first. True: the watch ended."""
        if self.source is None:
            time.sleep(min(self.timeout(), 1.0))
            return False
        try:
            line = self.source.lines.get(timeout=self.timeout())
            for _ in range(AT_ONCE):
                if line is None:
                    return True
                self.take(line)
                line = self.source.lines.get_nowait()
            if line is None:
                return True
            self.take(line)
        except queue.Empty:
            return False
        except WatchError as error:
            log("the watch says what no watch says", error=error)
            return True

    def take(self, line):
        self.heard_at = time.monotonic()
        moved = self.view.feed(line)
        if self.is_silent:
            self.is_silent = False
            log("the gatekeeper speaks again")
            self.tell_silent()
        if moved:
            self.dirty = True
            self.whole = self.whole or moved == "all"
            self.retry.until = 0.0
            self.restart.reset()

    def due(self):
        if self.dirty:
            return self.retry.over()
        return time.monotonic() >= self.resync_at

    def enforce(self):
        whole = self.whole or not self.dirty
        try:
            self.enforcer.enforce(self.view, whole)
        except EnforcerError as error:
            log("not enforced; it will be tried again", error=error)
            self.dirty = self.whole = True
            self.retry.begin()
            notify("STATUS=not enforced: " + str(error).replace("\n", " "))
            return
        self.dirty = self.whole = False
        self.retry.reset()
        if whole:
            self.resync_at = time.monotonic() + self.options.resync
        held = f"; {len(self.held())} more are HELD, see the log" if self.held() else ""
        notify(f"STATUS={len(self.view.shut_out())} hosts are cut off{held}" + ("" if self.is_ready else "\nREADY=1"))
        self.is_ready = True

    def held(self):
        guard = getattr(self.enforcer, "guard", None)
        return guard.held if guard else ()

    def check_silence(self):
        now = time.monotonic()
        if now - self.heard_at > self.options.silence and (not self.is_silent or now >= self.silent_again_at):
            if not self.is_silent:
                log("the gatekeeper is silent; what is enforced stays", seconds=int(now - self.heard_at))
            self.is_silent = True
            self.silent_again_at = now + self.options.resync
            self.tell_silent()
        if self.source is None or self.options.stdin:
            return
        if now - max(self.heard_at, self.began_at) > self.options.silence:
            self.lost("nothing was heard: watching anew")
        elif now - self.began_at > self.options.refresh:
            self.leave()  # and at once back, for a snapshot

    def tell_silent(self):
        if hasattr(self.enforcer, "silent"):
            try:
                self.enforcer.silent(self.is_silent)
            except EnforcerError as error:
                log("nobody could be told that the gatekeeper is silent", error=error)


# ---- the command line --------------------------------------------------------------------------


def parser(description):
    out = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    out.add_argument("--stdin", action="store_true", help="read the watch from standard input instead of starting it")
    out.add_argument("--once", action="store_true", help="agree with one snapshot, then end (exit code 1: it failed)")
    out.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    out.add_argument("--resync", type=float, default=300, metavar="SECONDS",
                     help="compare the other side as a whole this often")
    out.add_argument("--refresh", type=float, default=3600, metavar="SECONDS",
                     help="take a new snapshot this often, so that labels that moved are seen (not with --stdin)")
    out.add_argument("--silence", type=float, default=45, metavar="SECONDS",
                     help="without a line for so long, the gatekeeper is silent: watch anew")
    return out


def add_confirm_release(to):
    to.add_argument("--confirm-release", action="store_true",
                    help="let go of all that are not in the snapshot, however many (with --once: an operator's word "
                         "that the gatekeeper is right)")


def parse(description_parser, arguments=None):
    """Options, and after "--" the command of the watch."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    watch = DEFAULT_WATCH
    if "--" in arguments:
        at = arguments.index("--")
        arguments, watch = arguments[:at], arguments[at + 1:]
    options = description_parser.parse_args(arguments)
    options.watch = watch
    if not watch:
        description_parser.error("there is no command after --")
    for name in ("resync", "refresh", "silence"):
        if not 0.05 <= getattr(options, name) <= 7 * 86400:
            description_parser.error(f"--{name} must be from 0.05 to 604800 seconds")
    return options
