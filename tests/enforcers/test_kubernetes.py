"""bootgate-kubernetes against a stand-in of the API server that speaks its HTTP: paths, tokens, versions, pages."""

import json
import unittest
import urllib.parse

from support import A, B, C, EnforcerTest, StandIn, change, eventually, host, make_certificate, snapshot

TAINT = {"key": "bootgate.dev/quarantined", "value": "true", "effect": "NoExecute"}
OTHER = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": "2026-11-23T02:00:00Z"}
PAGE = 2  # nodes: the stand-in gives fewer than it is asked for


def status(code, reason):
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}


class ApiServer(StandIn):
    """/api/v1/nodes as the real one has it, as far as it is used."""

    def __init__(self, test, *names, **tls):
        self.token = "token-1"
        self.version = 100
        self.conflicts = 0  # that many patches meet a node that changed since
        self.expire_lists = 0  # that many second pages are gone
        self.broken = ()  # nodes whose patches fail
        self.patches = []
        self.nodes = {}
        for name in names:
            self.put(name)
        super().__init__(test, **tls)

    def put(self, name, *taints):
        self.version += 1
        self.nodes[name] = {"metadata": {"name": name, "resourceVersion": str(self.version), "labels": {"zone": "a"}},
                            "spec": {"podCIDR": "10.1.0.0/24", **({"taints": list(taints)} if taints else {})}}

    def taints(self, name):
        with self.lock:
            return self.nodes[name]["spec"].get("taints", [])

    def tainted(self):
        return {name for name in self.nodes if TAINT in self.taints(name)}

    def answer(self, method, path, headers, body):
        if headers.get("Authorization") != "Bearer " + self.token:
            return status(401, "Unauthorized")
        url = urllib.parse.urlsplit(path)
        if url.path == "/api/v1/nodes" and method == "GET":
            return self.list(urllib.parse.parse_qs(url.query))
        name = urllib.parse.unquote(url.path.removeprefix("/api/v1/nodes/"))
        if name not in self.nodes:
            return status(404, "NotFound")
        if method == "GET":
            return 200, self.nodes[name]
        if method == "PATCH":
            return self.patch(name, headers, json.loads(body))
        return status(405, "MethodNotAllowed")

    def list(self, query):
        names = sorted(self.nodes)
        place = int(query.get("continue", ["0"])[0])
        assert int(query["limit"][0]) <= 500
        if place and self.expire_lists:
            self.expire_lists -= 1
            return status(410, "Expired")
        more = {"continue": str(place + PAGE)} if place + PAGE < len(names) else {}
        return 200, {"kind": "NodeList", "apiVersion": "v1", "metadata": {"resourceVersion": str(self.version), **more},
                     "items": [self.nodes[name] for name in names[place:place + PAGE]]}

    def patch(self, name, headers, patch):
        if headers["Content-Type"] != "application/merge-patch+json":
            return status(415, "UnsupportedMediaType")
        if name in self.broken:
            return status(500, "InternalError")
        node = self.nodes[name]
        if self.conflicts:
            self.conflicts -= 1
            self.put(name, *self.taints(name), {"key": f"other-{self.conflicts}", "effect": "NoSchedule"})
            return status(409, "Conflict")
        if patch["metadata"]["resourceVersion"] != node["metadata"]["resourceVersion"]:
            return status(409, "Conflict")
        self.patches.append((name, patch))
        self.put(name, *patch["spec"]["taints"])
        return 200, self.nodes[name]


def on(host_id, node, **more):
    return host(host_id, labels={"node": node}, **more)


class KubernetesTest(EnforcerTest):
    program = "bootgate-kubernetes"

    def setUp(self):
        super().setUp()
        self.api = ApiServer(self, "n1", "n2", "n3", "n4", "n5")
        self.token = self.folder / "token"
        self.token.write_text("token-1\n")

    def options(self):
        return ["--server", self.api.url, "--token-file", str(self.token), "--ca-file", "", "--resync", "600"]

    def assert_tainted(self, *names):
        self.assertEqual(self.api.tainted(), set(names))

    def test_the_nodes_of_hosts_that_are_cut_off_are_tainted(self):
        done = self.once(snapshot(on(A, "n1"), on(B, "n5"), on(C, "n2", trust="restricted")))
        self.assertEqual(done.code, 0, done.log())
        self.assert_tainted("n1", "n5")

    def test_an_empty_new_store_takes_no_taints_away_until_an_operator_confirms(self):
        names = ["n1", "n2", "n3", "n4", "n5"]
        hosts = [on(f"h-{number:032x}", name) for number, name in enumerate(names)]
        self.once(snapshot(*hosts))
        held = self.once(snapshot())
        self.assertEqual(held.code, 1)
        self.assertIn("HELD", held.log())
        self.assert_tainted(*names)
        enforcer = self.start()
        enforcer.say(snapshot())
        enforcer.said("HELD")
        enforcer.say(change(on(A, "n1")))  # wanted again, and then let go by name
        enforcer.said('"held": 4')
        enforcer.say(change(on(A, "n1", trust="trusted"), "remediated"))
        eventually(lambda: self.api.tainted() == set(names[1:]))
        self.assertEqual(self.once(snapshot(), options=["--confirm-release"]).code, 0)
        self.assert_tainted()

    def test_the_patch_names_the_version_and_keeps_the_taints_of_others(self):
        self.api.put("n1", OTHER)
        version = self.api.nodes["n1"]["metadata"]["resourceVersion"]
        self.once(snapshot(on(A, "n1")))
        self.assertEqual(self.api.patches, [("n1", {"metadata": {"resourceVersion": version},
                                                    "spec": {"taints": [OTHER, TAINT]}})])
        self.once(snapshot())
        self.assertEqual(self.api.taints("n1"), [OTHER])

    def test_changes_taint_and_take_the_taint_away(self):
        enforcer = self.start()
        enforcer.say(snapshot())
        enforcer.say(change(on(A, "n3")))
        eventually(lambda: self.api.tainted() == {"n3"})
        enforcer.say(change(on(A, "n3", trust="investigating"), "quarantined"))
        enforcer.say(change(on(B, "n4")))
        eventually(lambda: self.api.tainted() == {"n3", "n4"})
        enforcer.say(change(on(A, "n3", trust="trusted"), "remediated"))
        eventually(lambda: self.api.tainted() == {"n4"})

    def test_a_watch_of_nothing_changes_nothing(self):
        self.assertEqual(self.once(snapshot()).code, 0)
        self.assertEqual({method for method, _ in self.api.asked}, {"GET"})

    def test_what_happened_while_it_was_down_is_caught_up(self):
        self.once(snapshot(on(A, "n1"), on(B, "n2")))
        self.once(snapshot(on(B, "n2"), on(C, "n4")))
        self.assert_tainted("n2", "n4")
        self.assertEqual(len(self.api.patches), 4)

    def test_a_conflict_is_read_again(self):
        self.api.conflicts = 3
        self.assertEqual(self.once(snapshot(on(A, "n1"))).code, 0)
        self.assertEqual([taint["key"] for taint in self.api.taints("n1")],
                         ["other-2", "other-1", "other-0", TAINT["key"]])

    def test_endless_conflicts_end_and_the_others_are_tainted(self):
        self.api.conflicts = 10**9
        self.assertEqual(self.once(snapshot(on(A, "n1"))).code, 1)
        self.api.conflicts, self.api.broken = 0, ("n1",)
        done = self.once(snapshot(on(A, "n1"), on(B, "n2")))
        self.assertEqual(done.code, 1)
        self.assertIn("1 of 2 nodes", done.log())
        self.assert_tainted("n2")

    def test_a_token_that_was_renewed_is_read_anew(self):
        self.api.token = "token-2"
        enforcer = self.start()
        enforcer.say(snapshot(on(A, "n1")))
        enforcer.said("401")
        self.assert_tainted()
        self.token.write_text("token-2\n")
        eventually(lambda: self.api.tainted() == {"n1"})

    def test_the_token_is_in_no_message(self):
        self.token.write_text("s3cret\n")
        done = self.once(snapshot(on(A, "n1")))
        self.assertEqual(done.code, 1)
        self.assertNotIn("s3cret", done.log())

    def test_an_expired_list_is_begun_again(self):
        self.api.expire_lists = 2
        self.assertEqual(self.once(snapshot(on(A, "n5"))).code, 0)
        self.assert_tainted("n5")
        self.api.expire_lists = 3
        self.assertEqual(self.once(snapshot()).code, 1)
        self.assert_tainted("n5")

    def test_a_gatekeeper_that_cannot_be_reached_lets_no_node_go(self):
        self.once(snapshot(on(A, "n1")))
        enforcer = self.start(watch=["false"])
        enforcer.said("what is enforced stays")
        self.assert_tainted("n1")

    def test_a_node_that_comes_back_bare_is_tainted_again(self):
        enforcer = self.start("--resync", "0.2")
        enforcer.say(snapshot(on(A, "n1"), on(B, "late")))
        eventually(lambda: self.api.tainted() == {"n1"})
        enforcer.said("the cluster has no node late")
        self.api.put("n1")
        self.api.put("late")
        eventually(lambda: self.api.tainted() == {"n1", "late"})

    def test_a_host_cannot_name_another_node(self):
        done = self.once(snapshot(host(A, hostname="n2"), on(B, "n1", hostname="n3")))
        self.assert_tainted("n1")
        self.assertIn(f"bootgate-gatekeeper host label {A} node=NAME", done.log())
        self.once(snapshot(host(A, hostname="n2")), options=["--trust-hostnames"])
        self.assert_tainted("n2")

    def test_names_that_are_none_reach_no_path(self):
        for name in ("../namespaces/x", "n1/status", "N1", "n1?x=1", "n" * 300, ".."):
            done = self.once(snapshot(on(A, name)))
            self.assertEqual(done.code, 0)
            self.assertIn("no name of a node", done.log())
        self.assertEqual({path.split("?")[0] for _, path in self.api.asked}, {"/api/v1/nodes"})

    def test_a_dry_run_says_and_does_nothing(self):
        self.api.put("n5", TAINT)
        done = self.once(snapshot(on(A, "n1")), options=["--dry-run"])
        self.assertEqual(done.out().splitlines(), ["taint node n1", "untaint node n5"])
        self.assertEqual(self.api.patches, [])

    def test_answers_that_are_none_are_errors(self):
        for answer in [(200, None), (200, []), (200, {"items": [{}]}), (200, {"items": 3}), (500, None)]:
            with self.subTest(answer):
                self.api.answer = lambda *_, answer=answer: answer
                self.assertEqual(self.once(snapshot()).code, 1)

    def test_only_the_cluster_itself_is_talked_to(self):
        certificate, key = make_certificate(self.folder)
        api = ApiServer(self, "n1", certificate=certificate, key=key)
        right = ["--server", api.url, "--ca-file", str(certificate)]
        self.assertEqual(self.once(snapshot(on(A, "n1")), options=right).code, 0)
        self.assertEqual(api.tainted(), {"n1"})
        wrong_name = ["--server", api.url.replace("127.0.0.1", "localhost"), "--ca-file", str(certificate)]
        self.assertEqual(self.once(snapshot(), options=wrong_name).code, 1)
        self.assertEqual(self.once(snapshot(), options=["--server", api.url]).code, 1)  # the system's CAs
        self.assertEqual(api.tainted(), {"n1"})
        self.assertEqual(self.once(options=["--server", "http://api.example"]).code, 2)


if __name__ == "__main__":
    unittest.main()
