"""bootgate-nftables against the kernel's nftables, in a network namespace of its own; see run.py."""

import ipaddress
import json
import os
import socket
import subprocess
import time
import unittest

from support import A, B, C, ENFORCERS, HEARTBEAT, EnforcerTest, change, eventually, host, snapshot


NFT = os.environ.get("BOOTGATE_TEST_NFT", "nft")
needs_kernel = unittest.skipIf(NFT != "nft", "no network namespace may be made here")


def nft(*arguments):
    return subprocess.run([NFT, *arguments], capture_output=True, text=True, check=True).stdout


def members(name):
    try:
        listed = json.loads(nft("-j", "list", "set", "inet", "bootgate", name))
    except subprocess.CalledProcessError:
        return None
    return set([part["set"] for part in listed["nftables"] if "set" in part][0].get("elem", []))


def at(host_id, *addresses, **more):
    labels = {"address": addresses[0]} if len(addresses) == 1 else {"addresses": " ".join(addresses)}
    return host(host_id, labels=labels, **more)


class NftablesTest(EnforcerTest):
    program = "bootgate-nftables"

    def setUp(self):
        super().setUp()
        if NFT != "nft":
            os.environ["NFT_STAND_IN"] = str(self.folder / "tables")
        nft("flush", "ruleset")

    def options(self):
        return ["--nft", NFT]

    def assert_sets(self, four, six=()):
        self.assertEqual((members("quarantined4"), members("quarantined6")), (set(four), set(six)))

    def test_the_sets_hold_the_addresses_of_the_hosts_that_are_cut_off(self):
        done = self.once(snapshot(at(A, "10.0.0.7"), at(B, "10.0.0.8", "2001:db8::8"),
                                  at(C, "10.0.0.9", trust="restricted")))
        self.assertEqual(done.code, 0, done.log())
        self.assert_sets(["10.0.0.7", "10.0.0.8"], ["2001:db8::8"])

    def test_a_change_is_in_the_set_within_a_second(self):
        enforcer = self.start()
        enforcer.say(snapshot())
        eventually(lambda: members("quarantined4") == set())
        took = []
        for number in range(20):
            enforcer.say(change(at(A, f"10.0.1.{number}")))
            begin = time.monotonic()
            eventually(lambda: members("quarantined4") == {f"10.0.1.{number}"})
            took.append(time.monotonic() - begin)
        print(f"change to set: median {sorted(took)[10] * 1000:.0f} ms, longest {max(took) * 1000:.0f} ms")
        if NFT == "nft":
            self.assertLess(sorted(took)[18], 1.0)
        enforcer.say(change(at(A, "10.0.1.19", trust="trusted"), "remediated"))
        eventually(lambda: members("quarantined4") == set())

    def test_what_happened_while_it_was_down_is_caught_up(self):
        self.once(snapshot(at(A, "10.0.0.7"), at(B, "10.0.0.8")))
        self.once(snapshot(at(B, "10.0.0.8"), at(C, "10.0.0.9")))
        self.assert_sets(["10.0.0.8", "10.0.0.9"])

    def test_an_address_of_two_hosts_stays_until_both_are_back(self):
        enforcer = self.start()
        enforcer.say(snapshot(at(A, "10.0.0.7"), at(B, "10.0.0.7")))
        eventually(lambda: members("quarantined4") == {"10.0.0.7"})
        enforcer.say(change(at(A, "10.0.0.7", trust="trusted")), change(at(C, "10.0.0.9")))
        eventually(lambda: members("quarantined4") == {"10.0.0.7", "10.0.0.9"})
        enforcer.say(change(at(B, "10.0.0.7", trust="trusted")))
        eventually(lambda: members("quarantined4") == {"10.0.0.9"})

    def test_a_gatekeeper_that_cannot_be_reached_empties_nothing(self):
        self.once(snapshot(at(A, "10.0.0.7")))
        for watch in (["false"], ["/nowhere"], ["sh", "-c", "echo garbage; exit 1"],
                      self.watch_file(snapshot(complete=False))):
            enforcer = self.start("--silence", "0.3", watch=watch)
            enforcer.said("what is enforced stays")
            enforcer.end()
            self.assert_sets(["10.0.0.7"])

    def test_a_watch_that_falls_silent_empties_nothing(self):
        enforcer = self.start("--silence", "0.2")
        enforcer.say(snapshot(at(A, "10.0.0.7")))
        enforcer.said("the gatekeeper is silent")
        self.assert_sets(["10.0.0.7"])
        enforcer.say(HEARTBEAT)
        enforcer.said("the gatekeeper speaks again")

    def test_what_others_do_to_the_sets_is_put_right(self):
        enforcer = self.start("--resync", "0.2")
        enforcer.say(snapshot(at(A, "10.0.0.7")))
        eventually(lambda: members("quarantined4") == {"10.0.0.7"})
        nft("delete element inet bootgate quarantined4 { 10.0.0.7 }")
        nft("add element inet bootgate quarantined4 { 10.9.9.9 }")
        eventually(lambda: members("quarantined4") == {"10.0.0.7"})
        nft("flush", "ruleset")
        eventually(lambda: members("quarantined4") == {"10.0.0.7"})

    def test_a_change_on_sets_that_others_moved_is_done_at_the_second_try(self):
        enforcer = self.start()
        enforcer.say(snapshot(at(A, "10.0.0.7")))
        eventually(lambda: members("quarantined4") == {"10.0.0.7"})
        nft("flush", "ruleset")
        enforcer.say(change(at(B, "10.0.0.8")))
        eventually(lambda: members("quarantined4") == {"10.0.0.7", "10.0.0.8"})

    def test_hosts_without_an_address_are_named(self):
        done = self.once(snapshot(host(A), at(B, "10.0.0.300"), at(C, "10.0.0.9", "web-1")))
        self.assertEqual(done.code, 0)
        for host_id in (A, B):
            self.assertIn(f"bootgate-gatekeeper host label {host_id} address=", done.log())
        self.assertIn("web-1", done.log())
        self.assert_sets(["10.0.0.9"])

    def test_addresses_that_are_no_hosts_are_not_taken(self):
        self.once(snapshot(at(A, "127.0.0.1", "0.0.0.0", "224.0.0.1", "::1", "::", "10.0.0.0/8", "fe80::1%eth0",
                              "::ffff:10.0.0.5", "10.0.0.6")))
        self.assert_sets(["10.0.0.5", "10.0.0.6"])

    def test_what_must_never_be_cut_off_is_not(self):
        done = self.once(snapshot(at(A, "10.0.0.1", "10.0.0.7"), at(B, "192.0.2.9")),
                         options=["--never", "10.0.0.1/32", "--never", "192.0.2.0/24"])
        self.assert_sets(["10.0.0.7"])
        self.assertIn("a quarantined host is not covered", done.log())
        self.assertEqual(self.once(options=["--never", "10.0.0.1/8"]).code, 2)

    def test_text_of_a_host_does_not_reach_nft(self):
        done = self.once(snapshot(at(A, "10.0.0.7 }; flush ruleset; add element inet bootgate quarantined4 { 10.0.0.9"),
                                  at(B, "10.0.0.8", hostname="x }; flush ruleset")))
        self.assertEqual(done.code, 0)
        self.assert_sets(["10.0.0.7", "10.0.0.8", "10.0.0.9"])  # the addresses among the words, and nothing else

    def test_a_dry_run_says_and_does_nothing(self):
        done = self.once(snapshot(at(A, "10.0.0.7")), options=["--dry-run"])
        self.assertIn("add element inet bootgate quarantined4 { 10.0.0.7 }", done.out())
        self.assertIsNone(members("quarantined4"))

    def test_thousands_of_hosts_at_once(self):
        count = 5000
        hosts = [at(f"h-{number:032x}", str(ipaddress.ip_address("10.0.0.0") + number + 1)) for number in range(count)]
        begin = time.monotonic()
        self.assertEqual(self.once(*(snapshot(*hosts[i:i + 500], complete=i + 500 >= count)
                                     for i in range(0, count, 500))).code, 0)
        print(f"{count} hosts: {time.monotonic() - begin:.1f} s")
        self.assertEqual(len(members("quarantined4")), count)
        self.assertEqual(self.once(snapshot(), options=["--confirm-release"]).code, 0)
        self.assert_sets([])

    def test_an_empty_new_store_opens_nothing_until_an_operator_confirms(self):
        hosts = [at(f"h-{number:032x}", f"10.0.0.{number}") for number in range(1, 6)]
        all_five = {f"10.0.0.{number}" for number in range(1, 6)}
        enforcer = self.start("--resync", "0.2")
        enforcer.say(snapshot(*hosts))
        eventually(lambda: members("quarantined4") == all_five)
        enforcer.say(snapshot())
        enforcer.said("HELD: the gatekeeper's snapshot would let go of too many at once")
        self.assertEqual(members("quarantined4"), all_five)
        # It goes on: new ones are cut off and let go, those that are held stay; also after a restart.
        enforcer.say(change(at(A, "10.0.1.1")))
        eventually(lambda: members("quarantined4") == all_five | {"10.0.1.1"})
        enforcer.say(change(at(A, "10.0.1.1", trust="trusted")))
        eventually(lambda: members("quarantined4") == all_five)
        self.assertEqual(self.once(snapshot()).code, 1)
        self.assertEqual(members("quarantined4"), all_five)
        # One of them is wanted again and then let go: that is a change, and believed.
        enforcer.say(change(at(B, "10.0.0.1")))
        enforcer.say(HEARTBEAT)
        eventually(lambda: '"held": 4' in enforcer.log())
        enforcer.say(change(at(B, "10.0.0.1", trust="trusted")))
        eventually(lambda: members("quarantined4") == all_five - {"10.0.0.1"})
        # The operator's word.
        self.assertEqual(self.once(snapshot(), options=["--confirm-release"]).code, 0)
        self.assert_sets([])
        enforcer.say(change(at(C, "10.0.0.2")))
        eventually(lambda: members("quarantined4") == {"10.0.0.2"})

    def test_a_few_that_vanish_with_a_snapshot_are_let_go(self):
        hosts = [at(f"h-{number:032x}", f"10.0.0.{number}") for number in range(1, 51)]
        self.once(snapshot(*hosts))
        self.assertEqual(self.once(snapshot(*hosts[5:])).code, 0)
        self.assertEqual(len(members("quarantined4")), 45)
        self.assertEqual(self.once(snapshot(*hosts[10:])).code, 1)
        self.assertEqual(len(members("quarantined4")), 45)

    def test_while_the_gatekeeper_cannot_read_a_host_nobody_who_vanishes_is_let_go(self):
        self.once(snapshot(at(A, "10.0.0.7"), at(B, "10.0.0.8")))
        unreadable = host(A, reasons=["RECORD_CORRUPT"], hostname="")
        done = self.once(snapshot(unreadable))
        self.assertEqual(done.code, 1)
        self.assertIn("cannot read all of its hosts", done.log())
        self.assert_sets(["10.0.0.7", "10.0.0.8"])
        self.assertEqual(self.once(snapshot(at(A, "10.0.0.7"))).code, 0)
        self.assert_sets(["10.0.0.7"])

    def test_a_host_that_cannot_be_read_keeps_its_address_and_lets_the_others_go_once_it_can(self):
        enforcer = self.start("--resync", "0.2")
        enforcer.say(snapshot(at(A, "10.0.0.7"), at(B, "10.0.0.8"), at(C, "10.0.0.9")))
        eventually(lambda: members("quarantined4") == {"10.0.0.7", "10.0.0.8", "10.0.0.9"})
        # Its record was torn, and its state moves: only the address that was known can keep it out.
        unreadable = host(A, trust="investigating", reasons=["RECORD_CORRUPT"], hostname="")
        enforcer.say(change(unreadable, before="quarantined"), change(at(C, "10.0.0.9", trust="trusted")))
        eventually(lambda: members("quarantined4") == {"10.0.0.7", "10.0.0.8"})
        enforcer.say(snapshot(unreadable))
        enforcer.said("cannot read all of its hosts")
        self.assertEqual(members("quarantined4"), {"10.0.0.7", "10.0.0.8"})
        enforcer.say(snapshot(at(A, "10.0.0.7")))
        eventually(lambda: members("quarantined4") == {"10.0.0.7"})

    def test_changes_let_go_as_many_as_they_name_also_when_nft_failed_meanwhile(self):
        hosts = [at(f"h-{number:032x}", f"10.0.0.{number}") for number in range(1, 21)]
        enforcer = self.start("--resync", "0.2")
        enforcer.say(snapshot(*hosts))
        eventually(lambda: members("quarantined4") is not None and len(members("quarantined4")) == 20)
        nft("flush", "ruleset")  # what it deletes is not there: the first try fails
        enforcer.say(*(change({**one, "trust": "trusted", "shut_out": False}) for one in hosts))
        eventually(lambda: members("quarantined4") == set())
        self.assertNotIn("HELD", enforcer.log())

    @needs_kernel
    def test_the_sample_rules_load_twice_and_drop(self):
        rules = str(ENFORCERS / "bootgate.nft")
        nft("-f", rules)
        self.once(snapshot(at(A, "10.0.0.7")))
        nft("-f", rules)
        self.assert_sets(["10.0.0.7"])
        self.assertEqual(nft("list", "chain", "inet", "bootgate", "forward").count("drop"), 4)

    def test_nft_that_fails_is_tried_again(self):
        enforcer = self.start("--nft", "/nowhere/nft")
        enforcer.say(snapshot(at(A, "10.0.0.7")))
        enforcer.said("not enforced; it will be tried again")
        self.assertEqual(self.once(snapshot(), options=["--nft", "/nowhere/nft"]).code, 1)

    @needs_kernel
    def test_a_quarantined_address_gets_no_packet_through(self):
        """Two namespaces and a wire between them."""
        nft("-f", str(ENFORCERS / "bootgate.nft"))
        other = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo ready; exec sleep 600"], stdout=subprocess.PIPE)
        self.addCleanup(other.stdout.close)
        self.addCleanup(other.wait)
        self.addCleanup(other.terminate)
        other.stdout.readline()
        inside = ["nsenter", "-t", str(other.pid), "-n"]
        try:
            for command in (["ip", "link", "add", "a0", "type", "veth", "peer", "name", "b0", "netns", str(other.pid)],
                            ["ip", "address", "add", "10.77.0.1/24", "dev", "a0"], ["ip", "link", "set", "a0", "up"],
                            [*inside, "ip", "address", "add", "10.77.0.2/24", "dev", "b0"],
                            [*inside, "ip", "link", "set", "b0", "up"]):
                subprocess.run(command, check=True, capture_output=True)
        except (subprocess.CalledProcessError, OSError) as error:
            self.skipTest(f"no wire between namespaces here: {error}")
        self.addCleanup(subprocess.run, ["ip", "link", "delete", "a0"], check=False, capture_output=True)
        probe = ("import socket; s = socket.create_connection(('10.77.0.1', %d), timeout=1); s.close()")
        with socket.create_server(("10.77.0.1", 0)) as server:
            reach = [*inside, "python3", "-c", probe % server.getsockname()[1]]
            self.assertEqual(subprocess.run(reach, check=False, capture_output=True).returncode, 0)
            self.once(snapshot(at(A, "10.77.0.2")))
            self.assertNotEqual(subprocess.run(reach, check=False, capture_output=True).returncode, 0)
            self.once(snapshot())
            self.assertEqual(subprocess.run(reach, check=False, capture_output=True).returncode, 0)


if __name__ == "__main__":
    unittest.main()
