"""bootgate-alertmanager against stand-ins that speak Alertmanager's API v2."""

import datetime
import json
import re
import unittest
import urllib.parse

from support import A, B, C, EnforcerTest, StandIn, change, eventually, host, snapshot


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Alertmanager(StandIn):
    """Takes alerts as api/v2/openapi.yaml has them; one alert for each set of labels."""

    def __init__(self, test):
        self.alerts = {}
        self.posts = 0
        self.down = False
        super().__init__(test)

    def answer(self, method, path, headers, body):
        url = urllib.parse.urlsplit(path)
        if self.down:
            return 503, None
        if url.path != "/api/v2/alerts":
            return 404, None
        if method == "GET":
            return 200, self.matching(urllib.parse.parse_qs(url.query)["filter"])
        if headers["Content-Type"] != "application/json":
            return 415, None
        alerts = json.loads(body)
        if not all(self.is_fine(alert) for alert in alerts):
            return 400, {"code": 400, "message": "validation failure"}
        self.posts += 1
        for alert in alerts:
            key = tuple(sorted(alert["labels"].items()))
            self.alerts[key] = {**self.alerts.get(key, {}), **alert}
        return 200, None

    @staticmethod
    def is_fine(alert):
        texts = {**alert["labels"], **alert.get("annotations", {})}
        known = {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}
        return (set(alert) <= known and "alertname" in alert["labels"]
                and all(isinstance(text, str) and text for text in texts.values())
                and ("startsAt" not in alert or instant(alert["startsAt"]) <= instant(alert["endsAt"])))

    def matching(self, filters):
        out = self.active()
        for matcher in filters:
            name, operator, value = re.fullmatch(r'(\w+)(=~|=)"(.*)"', matcher).groups()
            pattern = value if operator == "=~" else re.escape(value)
            out = [alert for alert in out if re.fullmatch(pattern, alert["labels"].get(name, ""))]
        return out

    def active(self):
        with self.lock:
            return [alert for alert in self.alerts.values() if instant(alert["endsAt"]) > now()]

    def hosts(self):
        return {alert["labels"]["host"] for alert in self.active() if "host" in alert["labels"]}


class AlertmanagerTest(EnforcerTest):
    program = "bootgate-alertmanager"

    def setUp(self):
        super().setUp()
        self.manager = Alertmanager(self)

    def options(self):
        return ["--alertmanager", self.manager.url, "--resync", "600", "--cluster", "prod-a"]

    def test_an_alert_says_what_is_known(self):
        done = self.once(snapshot(host(A, labels={"team": "web"}, shut_out_by="operator alice")),
                         options=["--host-label", "team", "--host-label", "rack", "--url", "https://c.example/{host}"])
        self.assertEqual(done.code, 0, done.log())
        (alert,) = self.manager.active()
        self.assertEqual(alert["labels"], {"alertname": "BootgateHostQuarantined", "cluster": "prod-a", "host": A,
                                           "severity": "critical", "team": "web"})
        self.assertEqual(alert["annotations"], {
            "summary": f"host {A} is quarantined", "why": "Secure Boot is off", "state": "quarantined",
            "hostname": "told-by-host", "reasons": "SECURE_BOOT_OFF", "incident": "i-0011223344556677",
            "by": "operator alice", "next": f"bootgate-gatekeeper quarantine show {A}"})
        self.assertEqual(alert["startsAt"], "2026-11-23T02:00:00Z")
        self.assertEqual(alert["generatorURL"], f"https://c.example/{A}")

    def test_each_state_has_its_alert(self):
        self.once(snapshot(host(A, "remediated"), host(B, "restricted"), host(C, "suspect")))
        self.assertEqual({(alert["labels"]["alertname"], alert["labels"]["severity"]) for alert in self.manager.active()},
                         {("BootgateHostQuarantined", "critical"), ("BootgateHostRestricted", "warning"),
                          ("BootgateHostSuspect", "critical")})

    def test_a_host_that_returns_resolves_its_alert(self):
        enforcer = self.start()
        enforcer.say(snapshot(host(A)), change(host(B)))
        eventually(lambda: self.manager.hosts() == {A, B})
        enforcer.say(change(host(A, "trusted"), "remediated"))
        eventually(lambda: self.manager.hosts() == {B})

    def test_a_restricted_host_that_is_quarantined_changes_its_alert(self):
        enforcer = self.start()
        enforcer.say(snapshot(host(A, "restricted")))
        eventually(lambda: self.manager.hosts() == {A})
        enforcer.say(change(host(A), "restricted"))
        eventually(lambda: [alert["labels"]["alertname"] for alert in self.manager.active()]
                   == ["BootgateHostQuarantined"])

    def test_what_happened_while_it_was_down_is_caught_up(self):
        self.once(snapshot(host(A), host(B)))
        self.once(snapshot(host(B), host(C)))
        self.assertEqual(self.manager.hosts(), {B, C})

    def test_alerts_of_another_cluster_are_left_alone(self):
        self.once(snapshot(host(A)), options=["--cluster", "prod-b"])
        self.once(snapshot(host(B)))
        self.assertEqual(self.manager.hosts(), {A, B})

    def test_alerts_are_posted_again_before_they_lapse(self):
        enforcer = self.start("--resync", "2")  # lapses after 6 s
        enforcer.say(snapshot(host(A)))
        eventually(lambda: self.manager.hosts() == {A})
        posts = self.manager.posts
        gone = []
        eventually(lambda: self.manager.posts >= posts + 4 or gone.extend({A} - self.manager.hosts()))
        self.assertEqual(gone, [])
        enforcer.end()
        eventually(lambda: self.manager.hosts() == set())

    def test_all_of_a_set_are_told_also_when_one_is_down(self):
        other = Alertmanager(self)
        other.down = True
        enforcer = self.start("--alertmanager", other.url)
        enforcer.say(snapshot(host(A)))
        enforcer.said("503")
        eventually(lambda: self.manager.hosts() == {A})
        other.down = False
        eventually(lambda: self.manager.hosts() == other.hosts() == {A})
        other.down = True
        enforcer.say(change(host(A, "trusted"), "remediated"))
        eventually(lambda: self.manager.hosts() == set())
        self.assertEqual(other.hosts() | {A}, {A})
        other.down = False
        eventually(lambda: other.hosts() == set())

    def test_a_gatekeeper_that_cannot_be_reached_resolves_nothing(self):
        self.once(snapshot(host(A)))
        enforcer = self.start("--silence", "0.3", watch=["false"])
        eventually(lambda: "BootgateWatchSilent" in {alert["labels"]["alertname"] for alert in self.manager.active()})
        self.assertEqual(self.manager.hosts(), {A})
        enforcer.end()
        heard = self.start("--silence", "0.3")
        heard.said("the gatekeeper is silent")
        heard.say(snapshot(host(A)))
        heard.said("the gatekeeper speaks again")
        eventually(lambda: [alert["labels"]["alertname"] for alert in self.manager.active()]
                   == ["BootgateHostQuarantined"] or heard.say(snapshot(host(A))))

    def test_what_a_host_says_of_itself_is_no_label(self):
        self.once(snapshot(host(A, hostname="x\",cluster=\"y", why="w\n{{ .Labels }}")), options=["--host-label", "team"])
        (alert,) = self.manager.active()
        self.assertEqual(set(alert["labels"]), {"alertname", "cluster", "host", "severity"})

    def test_a_label_of_a_host_cannot_replace_ours(self):
        self.once(snapshot(host(A, labels={"severity": "none", "alertname": "x"})),
                  options=["--host-label", "severity", "--host-label", "alertname"])
        (alert,) = self.manager.active()
        self.assertEqual((alert["labels"]["alertname"], alert["labels"]["severity"]),
                         ("BootgateHostQuarantined", "critical"))

    def test_hundreds_go_in_several_posts(self):
        self.once(snapshot(*(host(f"h-{number:032x}") for number in range(450))))
        self.assertEqual((len(self.manager.hosts()), self.manager.posts), (450, 3))

    def test_a_dry_run_posts_nothing(self):
        done = self.once(snapshot(host(A)), options=["--dry-run"])
        self.assertIn(f"host={A}", done.out())
        self.assertEqual(self.manager.posts, 0)


if __name__ == "__main__":
    unittest.main()
