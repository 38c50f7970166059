"""The watch as enforcers read it: what counts, what is nonsense, and that nothing is let go by silence."""

import json
import sys
import unittest

from support import A, B, C, ENFORCERS, HEARTBEAT, EnforcerTest, change, eventually, host, lines, message, snapshot

sys.path.insert(0, str(ENFORCERS))
import bootgate_enforcer as base  # noqa: E402


def fed(*messages):
    view = base.View()
    moved = [view.feed(json.dumps(message)) for message in messages]
    return view, moved


class ViewTest(unittest.TestCase):
    def test_a_snapshot_counts_when_it_is_whole(self):
        view, moved = fed(snapshot(host(A), complete=False))
        self.assertFalse(view.complete)
        self.assertEqual((view.entries, moved), ({}, [""]))
        self.assertEqual(view.feed(json.dumps(snapshot(host(B)))), "all")
        self.assertEqual(set(view.entries), {A, B})

    def test_a_new_snapshot_that_breaks_off_lets_nobody_go(self):
        view, _ = fed(snapshot(host(A)))
        view.begin_again()
        view.feed(json.dumps(snapshot(host(B), complete=False)))
        self.assertEqual(set(view.entries), {A})
        view.begin_again()
        view.feed(json.dumps(snapshot(host(C))))
        self.assertEqual(set(view.entries), {C})

    def test_changes_move_single_hosts(self):
        view, moved = fed(snapshot(host(A)), change(host(B)), change(host(A, "trusted"), "remediated"), HEARTBEAT)
        self.assertEqual(set(view.entries), {B})
        self.assertEqual(moved, ["all", "one", "one", ""])

    def test_restricted_and_suspect_hosts_are_known_and_not_shut_out(self):
        view, _ = fed(snapshot(host(A), host(B, "restricted"), host(C, "suspect")))
        self.assertEqual(set(view.entries), {A, B, C})
        self.assertEqual(set(view.shut_out()), {A})

    def test_the_state_keeps_a_host_out_whatever_the_flag_says(self):
        view, _ = fed(snapshot(host(A, "remediated", shut_out=False)))
        self.assertEqual(set(view.shut_out()), {A})

    def test_protobufs_own_spelling_is_understood(self):
        view, _ = fed({"snapshot": {"entries": [{"hostId": A, "trust": "TRUST_STATE_QUARANTINED", "shutOut": True,
                                                 "incidentId": "i-1"}], "snapshotComplete": True}})
        self.assertEqual(view.shut_out()[A].incident_id, "i-1")

    def test_nonsense_is_refused(self):
        whole = lines(snapshot())
        for text in ["", json.dumps(message()), "x", "[]", "3", "null", "{}", '{"change": {}}', '{"snapshot": []}', '{"snapshot": {"entries": {}}}',
                     '{"snapshot": {"entries": [3]}}', '{"snapshot": {"entries": [{"host_id": "web-1"}]}}',
                     '{"snapshot": {"entries": [{"host_id": "' + A + '", "labels": []}]}}', "[" * 100_000,
                     '{"change": {"entry": {"host_id": "' + A + '\\n", "trust": "trusted"}}}']:
            with self.subTest(text[:60]):
                view = base.View()
                view.feed(whole)
                with self.assertRaises(base.WatchError):
                    view.feed(text)

    def test_what_is_not_set_is_null(self):
        view, _ = fed(snapshot(host(A, since=None, labels=None, reasons=None, why=None)))
        self.assertEqual((view.entries[A].since, view.entries[A].labels, view.entries[A].reasons), ("", {}, ()))

    def test_a_change_before_the_snapshot_is_refused(self):
        with self.assertRaises(base.WatchError):
            fed(change(host(A)))


class LoopTest(EnforcerTest):
    """With bootgate-alertmanager --dry-run, which prints what it would do."""

    program = "bootgate-alertmanager"

    def options(self):
        return ["--dry-run", "--resync", "600"]

    def test_once_agrees_with_one_snapshot(self):
        done = self.once(snapshot(host(A)))
        self.assertEqual(done.code, 0)
        self.assertIn(f"fire alertname=BootgateHostQuarantined cluster=bootgate host={A}", done.out())

    def test_once_without_a_whole_snapshot_fails(self):
        enforcer = self.start("--once")
        enforcer.say(snapshot(host(A), complete=False))
        enforcer.close_watch()
        self.assertEqual(enforcer.wait(), 1)
        self.assertEqual(enforcer.out(), "")

    def test_the_end_of_standard_input_is_told_by_the_exit_code(self):
        enforcer = self.start()
        enforcer.say(snapshot())
        enforcer.close_watch()
        self.assertEqual(enforcer.wait(), 1)
        self.assertIn("what is enforced stays", enforcer.log())

    def test_a_watch_that_ends_is_started_again(self):
        marker = self.folder / "times"
        enforcer = self.start(watch=["sh", "-c", 'echo x >>"$0"', str(marker)])
        enforcer.said("the watch ended")
        eventually(lambda: marker.exists() and len(marker.read_text().split()) >= 2)

    def test_a_watch_that_talks_nonsense_is_started_again(self):
        enforcer = self.start(watch=["sh", "-c", "echo nonsense; exec sleep 600"])
        enforcer.said("the watch says what no watch says")

    def test_a_command_that_is_not_there_is_said(self):
        enforcer = self.start(watch=["/nowhere/bootgate-gatekeeper"])
        enforcer.said("the watch cannot be started")

    def test_a_silent_watch_is_left_and_started_again(self):
        enforcer = self.start("--silence", "0.3", watch=self.watch_file(snapshot(host(A))))
        enforcer.said("the gatekeeper is silent; what is enforced stays")
        enforcer.said("nothing was heard: watching anew")
        enforcer.said("the gatekeeper speaks again")
        self.assertNotIn("resolve alertname=BootgateHost", enforcer.out())

    def test_sigterm_ends_it_in_order(self):
        enforcer = self.start(watch=self.watch_file(snapshot(host(A))))
        eventually(lambda: "fire" in enforcer.out())
        enforcer.process.terminate()
        self.assertEqual(enforcer.wait(), 0)

    def test_bad_options_are_told(self):
        for options in [["--resync", "0"], ["--silence", "x"], ["--cluster", 'a"b'], ["--host-label", "a-b"],
                        ["--alertmanager", "http://alerts.example"], ["--alertmanager", "https://u:p@a.example"]]:
            with self.subTest(options):
                enforcer = self.start(*options)
                self.assertEqual(enforcer.wait(), 2)


if __name__ == "__main__":
    unittest.main()
