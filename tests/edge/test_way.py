#!/usr/bin/env python3
"""An event's whole way through a real edge: sent by a device or a server, acknowledged, folded,
asked about, looked up, watched live; sent twice, counted once."""
import http.client
import json
import os
import threading
import time

import unittest

from edge_case import EdgeCase, request
from edge_process import WRITE_KEY

import cairn_wire

BASE_MS = 1767225600000  # 2026-01-01
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON_KEY = {"content-type": "application/json", "x-cairn-key": WRITE_KEY}


def send_events(edge, events, headers=None):
    status, body = request(
        edge.port, "POST", "/v1/events", json.dumps(events), {**JSON_KEY, **(headers or {})}
    )
    return status, json.loads(body)


def count(edge, name, measure="count"):
    """How often an event happened, by everybody, between 2000 and 2100."""
    answer = edge.analyze(
        {
            "model": "event",
            "from": "2000-01-01",
            "to": "2100-01-01",
            "series": [{"name": "n", "on": name, "measure": measure}],
        }
    )
    at = answer["columns"].index("n")
    return sum(row[at] for row in answer["rows"])


def sync(edge, device, first, how_many, name="step", key=WRITE_KEY):
    events = [
        cairn_wire.event_message(seq, name, BASE_MS + seq, {"n": seq, "城市": "北京"})
        for seq in range(first, first + how_many)
    ]
    body = cairn_wire.sync_request(key, device, int(time.time() * 1000), events)
    return request(edge.port, "POST", "/v1/sync", body, PROTOBUF)


class Way(EdgeCase):
    def test_a_device_is_acknowledged_and_counted_at_once(self):
        status, body = sync(self.edge, b"d" * 16, 1, 50, "batch")
        self.assertEqual(status, 200)
        self.assertEqual(cairn_wire.sync_response(body)["acked_seq"], 50)
        self.assertEqual(count(self.edge, "batch"), 50)

    def test_what_is_sent_twice_counts_once(self):
        for _ in range(3):
            sync(self.edge, b"e" * 16, 1, 10, "twice")
        sync(self.edge, b"e" * 16, 6, 10, "twice")
        self.assertEqual(count(self.edge, "twice"), 15)
        for _ in range(3):
            send_events(
                self.edge, [{"event": "order", "user": "u9"}] * 2, {"idempotency-key": "o-1"}
            )
        self.assertEqual(count(self.edge, "order"), 2)

    def test_a_wrong_event_is_refused_alone(self):
        events = [
            cairn_wire.event_message(1, "fine", BASE_MS, {}),
            cairn_wire.event_message(2, "", BASE_MS, {}),
            cairn_wire.event_message(3, "fine", BASE_MS, {}),
        ]
        body = cairn_wire.sync_request(WRITE_KEY, b"f" * 16, int(time.time() * 1000), events)
        status, answer = request(self.edge.port, "POST", "/v1/sync", body, PROTOBUF)
        found = cairn_wire.sync_response(answer)
        self.assertEqual((status, found["acked_seq"]), (200, 3))
        self.assertEqual(count(self.edge, "fine"), 2)

    def test_a_wrong_project_key_is_refused(self):
        self.assertEqual(sync(self.edge, b"g" * 16, 1, 1, key="not-a-key")[0], 401)

    def test_a_person_is_found_by_every_id_with_profile_and_events(self):
        send_events(
            self.edge,
            [
                {"event": "look", "ids": {"device": "phone-1"}},
                {"type": "login", "ids": {"login": "anna", "device": "phone-1"}},
                {"event": "buy", "ids": {"device": "phone-1"}, "properties": {"amount": 3}},
                {"type": "profile_set", "user": "anna", "properties": {"city": "上海", "age": 30}},
            ],
        )
        for path in ("/v1/persons/login:anna", "/v1/persons/device:phone-1"):
            status, body = request(self.edge.admin_port, "GET", path)
            self.assertEqual(status, 200, body)
            person = json.loads(body)
            self.assertEqual(person["properties"], {"city": "上海", "age": 30})
            self.assertEqual([event["event"] for event in person["events"]], ["look", "buy"])
        self.assertEqual(request(self.edge.admin_port, "GET", "/v1/persons/login:nobody")[0], 404)

    def test_a_funnel_by_a_property_of_the_person(self):
        events = []
        for user, city, steps in (("f1", "X", 3), ("f2", "X", 2), ("f3", "Y", 1)):
            events.append({"type": "profile_set", "user": user, "properties": {"home": city}})
            for step in range(steps):
                events.append(
                    {"event": f"funnel_{step}", "user": user, "time": BASE_MS + step * 1000}
                )
        send_events(self.edge, events)
        answer = self.edge.analyze(
            {
                "model": "funnel",
                "from": "2025-12-31",
                "to": "2026-01-02",
                "window": "1d",
                "steps": ["funnel_0", "funnel_1", "funnel_2"],
                "by": ["user.home"],
            }
        )
        at = answer["columns"].index("persons")
        group = answer["columns"].index("user.home")
        found = {}
        for row in answer["rows"]:
            found.setdefault(row[group], []).append(row[at])
        self.assertEqual(found["X"], [2, 2, 1])
        self.assertEqual(found["Y"], [1, 0, 0])

    def test_the_live_stream_shows_what_happens(self):
        raw = self.raw(admin=True)
        raw.send(b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        status, headers, _ = raw.answer(is_head=True)
        self.assertEqual(status, 200)
        self.assertEqual(headers["content-type"].split(";")[0], "text/event-stream")
        send_events(self.edge, [{"event": "直播", "user": "u1"}])
        while "直播".encode() not in raw.rest:
            self.assertTrue(raw.fill())

    def test_metrics_count_what_came_in(self):
        send_events(self.edge, [{"event": "m", "user": "u"}])
        status, body = request(self.edge.admin_port, "GET", "/metrics")
        self.assertEqual(status, 200)
        self.assertIn("# TYPE cairn_", body.decode())

    def test_many_clients_at_once(self):
        failures = []

        def client(number):
            connection = http.client.HTTPConnection("127.0.0.1", self.edge.port, timeout=30)
            for at in range(30):
                body = json.dumps(
                    [{"event": "crowd", "user": f"c{number}", "properties": {"n": at}}]
                )
                connection.request("POST", "/v1/events", body, JSON_KEY)
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    failures.append(answer.status)
            connection.close()

        threads = [threading.Thread(target=client, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(count(self.edge, "crowd"), 600)
        self.assertEqual(count(self.edge, "crowd", "persons"), 20)


class Again(EdgeCase):
    def test_everything_is_there_after_a_stop_and_a_start(self):
        sync(self.edge, b"s" * 16, 1, 20, "kept")
        self.assertEqual(self.edge.stop(), 0)
        self.edge.start()
        self.assertEqual(count(self.edge, "kept"), 20)
        self.edge.kill()
        self.edge.start()
        sync(self.edge, b"s" * 16, 11, 20, "kept")
        self.assertEqual(count(self.edge, "kept"), 30)

    def test_a_log_that_lost_what_was_folded_is_not_cut_but_refused(self):
        sync(self.edge, b"t" * 16, 1, 5, "whole")
        self.assertEqual(self.edge.stop(), 0)
        folder = os.path.join(self.edge.data, "log")
        newest = os.path.join(folder, max(os.listdir(folder)))
        with open(newest, "rb") as file:
            whole = file.read()
        with open(newest, "wb") as file:
            file.write(whole[:-3])
        with self.assertRaises(RuntimeError) as refusal:
            self.edge.start()
        self.assertIn("the state has folded it up to", str(refusal.exception))
        with open(newest, "rb") as file:
            self.assertEqual(file.read(), whole[:-3])
        with open(newest, "wb") as file:
            file.write(whole)
        self.edge.start()
        self.assertEqual(count(self.edge, "whole"), 5)


if __name__ == "__main__":
    unittest.main()
