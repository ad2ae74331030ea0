#!/usr/bin/env python3
"""`cairn put`, `get`, `remove`, `keys` against a real edge."""
import json
import os
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

from edge_process import Edge  # noqa: E402

BIN = os.path.abspath(os.environ.get("CAIRN_BIN", "build/dev/bin"))
SHOP = os.path.join(ROOT, "examples", "web", "definitions")


class Definitions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.edge = Edge(os.path.join(BIN, "cairn-edge"))
        cls.edge.start()

    @classmethod
    def tearDownClass(cls):
        cls.edge.close()

    def cairn(self, *arguments, code=0, text=None):
        done = subprocess.run([os.path.join(BIN, "cairn"), *arguments, "--edge",
                               f"http://127.0.0.1:{self.edge.admin_port}"], input=text,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, code, (arguments, done.stdout, done.stderr))
        return done.stdout if code == 0 else done.stderr

    def test_a_definition_there_and_back(self):
        file = os.path.join(SHOP, "audiences", "regulars.json")
        self.assertTrue(json.loads(self.cairn("put", "audiences", file, "--dry-run"))["valid"])
        self.assertEqual(json.loads(self.cairn("put", "audiences", file))["name"], "regulars")
        with open(file, encoding="utf-8") as source:
            self.assertEqual(json.loads(self.cairn("get", "audiences", "regulars")),
                             json.load(source))
        self.assertRegex(self.cairn("get", "audiences"), r"regulars +version 1 .*Bought three")
        self.cairn("put", "audiences", "-", "--name", "second",
                   text='{"rule": "member(\\"regulars\\")"}')
        self.assertIn("audience `regulars` is used by audience `second`",
                      self.cairn("remove", "audiences", "regulars", code=1))
        self.assertIn("there is one now, version 1",
                      self.cairn("put", "audiences", "-", "--name", "second", "--if-version", "7",
                                 text='{"rule": "user.x"}', code=1))
        self.cairn("remove", "audiences", "second")
        self.cairn("remove", "audiences", "regulars", "--if-version", "1")

    def test_settings_have_no_name(self):
        self.cairn("put", "settings", "-", text='{"holdout": 0.5}')
        self.assertEqual(json.loads(self.cairn("get", "settings")), {"holdout": 0.5})
        self.cairn("remove", "settings", "x", code=2)

    def test_a_wrong_rule_is_shown_with_a_caret(self):
        told = self.cairn("put", "popups", "-", "--name", "x", code=1, text=json.dumps(
            {"manual": True, "content": 1, "audience": 'user.city contain "x"'}))
        self.assertIn("audience: line 1, column 11: expected", told)
        self.assertIn('user.city contain "x"\n          ^', told)

    def test_the_key_is_printed(self):
        key = json.loads(self.cairn("keys"))
        self.assertEqual((len(key["id"]), len(key["public_key"])), (16, 88))

    def test_wrong_use_is_told(self):
        self.assertIn("no such kind", self.cairn("put", "popup", "x.json", code=2))
        self.assertIn("--name NAME", self.cairn("put", "popups", "-", code=2))
        self.assertIn("cairn put KIND", self.cairn("put", "popups", code=2))
        self.assertIn("cannot be read", self.cairn("put", "popups", "/nowhere.json", code=2))
        self.assertIn("no definition of this name", self.cairn("get", "popups", "nobody", code=1))


if __name__ == "__main__":
    unittest.main()
