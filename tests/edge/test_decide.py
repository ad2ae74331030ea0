"""Decisions on the server, and what devices are told of their persons, over sockets."""
import base64
import os
import struct
import subprocess
import time
import unittest

from edge_case import BINARY, EdgeCase

import cairn_wire
from edge_process import WRITE_KEY
from test_definitions import call

NOW_MS = 1790000000000


def hexed(device):
    return device.hex()


def value_of(fact):
    """A Fact's value as Python has it; None: known to be absent."""
    for field, value in cairn_wire.fields(fact):
        if field == 3:
            return bool(value)
        if field == 4:
            return (value >> 1) ^ -(value & 1)
        if field == 5:
            return struct.unpack("<d", value)[0]
        if field == 6:
            return value.decode()
    return None


class Decide(EdgeCase):
    """One project; every test has its own names, devices and persons."""

    numbers = iter(range(1, 1000))

    def setUp(self):
        self.name = f"t{next(self.numbers)}"
        self.seqs = {}

    def put(self, path, body):
        answer = call(self.edge, "PUT", path, body)
        self.assertIn(answer[0], (200, 201), answer)

    def device(self, number):
        return (self.name.encode() * 16)[:15] + bytes([number])

    def sync(self, device, *events, facts_version=0):
        """The response to a device that decides; events are (name, properties) or a login id."""
        encoded = []
        for event in events:
            seq = self.seqs[device] = self.seqs.get(device, 0) + 1
            if isinstance(event, str):
                encoded.append(cairn_wire.login_message(seq, NOW_MS, "login", event))
            else:
                encoded.append(cairn_wire.event_message(seq, event[0], NOW_MS, event[1]))
        body = cairn_wire.sync_request(WRITE_KEY, device, int(time.time() * 1000), encoded, 1 << 40,
                                       facts_version)
        status, _, data = call(self.edge, "POST", "/v1/sync", body,
                               {"content-type": "application/x-protobuf"}, self.edge.port)
        self.assertEqual(status, 200, data)
        return cairn_wire.sync_response(data)

    def decide(self, expect=200, **body):
        answer = call(self.edge, "POST", "/v1/decide", body)
        self.assertEqual(answer[0], expect, answer)
        return answer[2]

    def reason(self, **who):
        body = self.decide(what="event", event={"name": self.name}, **who)
        return next(one["reason"] for one in body["candidates"] if one["name"] == self.name)

    def put_popup(self, audience, **more):
        self.put(f"/v1/popups/{self.name}", {"triggers": [self.name], "content": {"a": 1},
                                             "audience": audience, **more})

    def told(self, response):
        facts = [value for field, value in cairn_wire.fields(response["facts"]) if field == 3]
        return [value_of(fact) for fact in facts]

    def test_what_was_acknowledged_is_in_the_decision(self):
        self.put_popup(f"count({self.name}_buy) >= 2")
        device = self.device(1)
        self.assertEqual(self.reason(device=hexed(device)), "audience")
        for expected in ("audience", "show"):
            self.sync(device, (self.name + "_buy", {}))
            self.assertEqual(self.reason(device=hexed(device)), expected)

    def test_a_person_is_all_devices_and_every_id(self):
        self.put_popup(f"sum({self.name}_buy.n) = 12")
        login = self.name + "-ann"
        self.sync(self.device(1), login, (self.name + "_buy", {"n": 5}))
        self.sync(self.device(2), (self.name + "_buy", {"n": 7}), login)
        for who in ({"ids": {"login": login}}, {"person": {"type": "login", "value": login}},
                    {"device": hexed(self.device(1))}, {"device": hexed(self.device(2))}):
            self.assertEqual(self.reason(**who), "show", who)
        self.assertEqual(self.reason(ids={"login": self.name + "-bob"}), "audience")

    def test_caps_count_what_was_shown_on_any_device(self):
        self.put_popup("now > 2000-01-01", caps=[{"at_most": 1, "per": "day"}])
        login = self.name + "-ann"
        who = {"ids": {"login": login}, "now": NOW_MS + 1000}
        self.assertEqual(self.reason(**who), "show")
        self.sync(self.device(1), login, ("$popup_show", {"popup": self.name, "variant": "main"}))
        self.assertEqual(self.reason(**who), "cap")
        self.assertEqual(self.reason(ids={"login": login}, now=NOW_MS + 3 * 86400000), "show")

    def test_what_is_wrong_is_told_with_field_and_fix(self):
        self.put_popup("now > 2000-01-01")
        for body, field in (({"what": "popop", "ids": {"login": "u"}}, "what"),
                            ({"what": "popup", "ids": {"login": "u"}}, "name"),
                            ({"what": "popup", "name": "x"}, "ids"),
                            ({"what": "experiments", "ids": {"login": 1}}, "ids.login"),
                            ({"what": "experiments", "device": "x"}, "device"),
                            ({"what": "experiments", "person": 1}, "person"),
                            ({"what": "experiments", "pgae": "/", "ids": {"login": "u"}}, "pgae"),
                            ({"what": "experiments", "ids": {"login": "u"}, "timezone": "Mars/X"},
                             "timezone"),
                            ({"what": "experiments", "ids": {"login": "u"},
                              "overrides": [{"experiment": "no", "variant": "a"}]}, "overrides[0]"),
                            ({"what": "event", "ids": {"login": "u"},
                              "event": {"name": "x", "properties": {"a": {}}}},
                             "event.properties.a")):
            problem = self.decide(400, **body)
            self.assertEqual(problem["field"], field, problem)
            self.assertTrue(problem["fix"], problem)
        self.assertEqual(call(self.edge, "POST", "/v1/decide", "[")[0], 400)
        self.assertEqual(call(self.edge, "GET", "/v1/decide")[0], 405)

    def test_the_request_says_what_only_the_device_knows(self):
        self.put_popup('device.os = "ios" and session.number = 3', pages=["/cart"])
        who = {"ids": {"login": "u"}, "session": 3, "device_facts": {"os": "ios"}}
        self.assertEqual(self.reason(page="/cart", **who), "show")
        self.assertEqual(self.reason(page="/", **who), "page")
        self.assertEqual(self.reason(page="/cart", ids={"login": "u"}), "audience")
        self.assertEqual(self.decide(what="event", event={"name": self.name},
                                     consent={"marketing": "denied"}, page="/cart",
                                     **who)["outcome"], "none")

    def test_what_the_person_said_of_consent_holds_unless_the_request_says_more(self):
        self.put_popup("now > 2000-01-01")
        login = self.name + "-ann"
        said = {"type": "consent", "ids": {"login": login}, "properties": {"marketing": "denied"}}
        answer = call(self.edge, "POST", "/v1/events", said, {"x-cairn-key": WRITE_KEY},
                      self.edge.port)
        self.assertEqual((answer[0], answer[2]["rejected"]), (200, []), answer)
        ask = {"what": "event", "event": {"name": self.name}, "ids": {"login": login}}
        self.assertEqual(self.decide(**ask)["outcome"], "none")
        self.assertEqual(self.decide(consent={"marketing": "granted"}, **ask)["outcome"], "show")
        self.assertEqual(self.decide(consent={"analytics": "granted"}, **ask)["outcome"], "none")

    def test_an_override_gives_its_variant(self):
        self.put(f"/v1/experiments/{self.name}", {
            "variants": [{"name": "a", "value": 1}, {"name": "b", "value": 2}], "fallback": 0})
        for variant, value in (("a", 1), ("b", 2)):
            body = self.decide(what="experiment", name=self.name, ids={"login": "u"},
                               overrides=[{"experiment": self.name, "variant": variant}])
            one = body["experiments"][0]
            self.assertEqual((one["reason"], one["value"]), ("override", value), body)

    def test_a_flag_with_rules_has_the_value_of_the_first_that_decides(self):
        beta, rest = self.name + "-beta", self.name + "-rest"
        answer = call(self.edge, "PUT", f"/v1/experiments/{self.name}", {"rules": [beta]})
        self.assertEqual((answer[0], answer[2]["field"]), (400, "rules[0]"), answer)
        self.put(f"/v1/experiments/{beta}", {
            "unit": "login", "variants": [{"name": "on", "value": "new"}],
            "audience": f"did({self.name}_joined)"})
        self.put(f"/v1/experiments/{rest}", {
            "unit": "login", "variants": [{"name": "a", "value": "old"}]})
        self.put(f"/v1/experiments/{self.name}", {"rules": [beta, rest], "fallback": "none"})
        login = self.name + "-ann"
        self.sync(self.device(1), login, (self.name + "_joined", {}))
        for who, value, rule in ((login, "new", beta), (self.name + "-bob", "old", rest)):
            one = self.decide(what="experiment", name=self.name, ids={"login": who})
            one = one["experiments"][0]
            self.assertEqual((one["value"], one["reason"], one["rule"]), (value, "rule", rule), one)
            self.assertEqual([each["name"] for each in one["rules"]], [beta, rest])
        answer = call(self.edge, "DELETE", f"/v1/experiments/{rest}")
        self.assertEqual((answer[0], answer[2]["code"]), (409, "in_use"), answer)
        answer = call(self.edge, "PUT", f"/v1/experiments/{rest}", {"rules": [self.name]})
        self.assertEqual((answer[0], answer[2]["code"]), (409, "circle"), answer)

    def test_another_device_hears_of_a_purchase_with_its_next_sync(self):
        buy = self.name + "_buy"
        self.put_popup(f"count({buy}) >= 1 and user.{self.name} is not set")
        login = self.name + "-ann"
        a, b = self.device(1), self.device(2)
        self.sync(a, login)
        first = self.sync(b, login)
        self.assertIn(0, self.told(first))
        self.assertEqual(self.sync(b, facts_version=first["facts_version"])["facts"], b"")
        self.sync(a, (buy, {}))
        second = self.sync(b, facts_version=first["facts_version"])
        self.assertIn(1, self.told(second))
        self.assertGreater(second["facts_version"], first["facts_version"])
        other = self.sync(self.device(3), self.name + "-bob")
        self.assertNotIn(1, self.told(other))

    def test_the_answer_has_in_it_what_the_request_brought(self):
        buy = self.name + "_buy"
        self.put_popup(f"count({buy}) >= 1")
        for count in range(1, 8):
            self.assertIn(count, self.told(self.sync(self.device(1), (buy, {}))))

    def put_slot(self, source):
        """Three items by price, ranked by a script; the default order is theirs."""
        self.put("/v1/decisions/settings", {"scripts": {"mine": source}})
        items = [{"id": f"{self.name}-{price}", "properties": {"price": price}}
                 for price in (2.5, 30, 9)]
        self.put(f"/v1/slots/{self.name}", {
            "size": 3, "items": items, "lists": {"all": [item["id"] for item in items]},
            "default": "all", "strategies": [{"name": "s", "recall": [{"list": "all"}],
                                              "filter": "user.vip is not set or user.vip",
                                              "script": "mine"}]})

    def order(self):
        """The prices in the slot, and the reason why its script did not rank."""
        body = self.decide(what="slot", name=self.name, ids={"login": self.name + "-ann"})
        self.assertNotIn("wants_script", body)
        prices = [float(item["id"].rsplit("-", 1)[1]) for item in body["items"]]
        return prices, body["strategies"][0].get("script")

    def test_a_ranking_script_orders_the_slot(self):
        self.put_slot("function main(input) { return input.items.map(function (item) {"
                      "  return item.price * (input.person.vip ? -1 : 1); }); }")
        self.assertEqual(self.order(), ([30, 9, 2.5], None))
        event = {"event": "vip", "type": "profile_set", "ids": {"login": self.name + "-ann"},
                 "properties": {"vip": True}}
        self.assertEqual(call(self.edge, "POST", "/v1/events", event,
                              {"authorization": f"Bearer {WRITE_KEY}"}, self.edge.port)[0], 200)
        self.assertEqual(self.order(), ([2.5, 9, 30], None))

    def test_a_script_that_is_lost_leaves_the_default_order_and_its_reason(self):
        for source, reason in (("function main() { for (;;); }", "script_timeout"),
                               ("function main() { throw new Error('no'); }", "script_error"),
                               ("function main() { return [1]; }", "script_result"),
                               ("function main() { return 'abc'; }", "script_result"),
                               ("function main() { var a = []; for (;;) { a.push(a.join('xxxxxxxx')"
                                " + Math.random()); } }", None)):
            self.put_slot(source)
            prices, why = self.order()
            self.assertEqual(prices, [2.5, 30, 9], source)
            self.assertIn(why, (reason,) if reason else ("script_memory", "script_timeout"))

    def test_devices_that_do_not_decide_are_told_nothing(self):
        self.put_popup(f"count({self.name}) >= 1")
        event = cairn_wire.event_message(1, self.name, NOW_MS, {})
        body = cairn_wire.sync_request(WRITE_KEY, self.device(1), NOW_MS, [event])
        _, _, data = call(self.edge, "POST", "/v1/sync", body,
                          {"content-type": "application/x-protobuf"}, self.edge.port)
        response = cairn_wire.sync_response(data)
        self.assertEqual((response["acked_seq"], response["facts"]), (1, b""))


class SameBytes(EdgeCase):
    """A real device and a real edge: decide_peer.c."""

    def test_a_device_and_the_edge_give_the_same_bytes(self):
        rules = ["count(look) >= 2", "count(cart, last 1 day) = 1 and not did(buy, last 1 hour)",
                 "user.vip is not set", "sum(buy.n, last 7 days) > 10", "session.number >= 1"]
        for number, rule in enumerate(rules):
            body = {"triggers": ["look", "cart"], "audience": rule, "priority": number % 3,
                    "caps": [{"at_most": 2, "per": "day"}, {"at_most": 1, "per": "session"}],
                    "variants": [{"name": "a", "content": {"n": number}},
                                 {"name": "b", "content": {}}]}
            answer = call(self.edge, "PUT", f"/v1/popups/p{number}", body)
            self.assertEqual(answer[0], 201, answer)
        answer = call(self.edge, "PUT", "/v1/experiments/e0", {
            "variants": [{"name": "a", "value": 1}, {"name": "b", "value": 2}], "fallback": 0,
            "audience": "count(look) >= 1", "unit": "login"})
        self.assertEqual(answer[0], 201, answer)
        answer = call(self.edge, "PUT", "/v1/slots/home", {
            "size": 2, "items": [{"id": f"i{n}", "content": {}} for n in range(4)],
            "lists": {"all": ["i0", "i1", "i2", "i3"]}, "default": "all",
            "strategies": [{"name": "s", "audience": "count(buy) >= 1", "exploration": 0.5,
                            "recall": [{"list": "all"}]}]})
        self.assertEqual(answer[0], 201, answer)
        key = call(self.edge, "GET", "/v1/bundle/key")[2]
        for seed in (1, 2, 3):
            done = subprocess.run(
                [os.path.join(os.path.dirname(BINARY), "decide_peer"), str(self.edge.port),
                 str(self.edge.admin_port), WRITE_KEY, key["id"],
                 base64.b64decode(key["public_key"]).hex(), str(seed), "6"],
                capture_output=True, text=True, timeout=100, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, "42 the same\n"), done.stderr)


class Nothing(EdgeCase):
    """No definition was put."""

    def test_there_is_nothing_to_decide_by(self):
        answer = call(self.edge, "POST", "/v1/decide", {"what": "experiments", "ids": {"a": "b"}})
        self.assertEqual((answer[0], answer[2]["code"]), (404, "definitions_missing"))


if __name__ == "__main__":
    unittest.main()
