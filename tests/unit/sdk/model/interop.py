#!/usr/bin/env python3
"""Goal: Google's protobuf and ours read the same from the same bytes, in both directions.
Method: random SyncRequests and SyncResponses (fixed seeds), written by one and read by the other.
  interop.py PROTOC PROTO_FOLDER WIRE_PEER
"""
import importlib
import random
import struct
import subprocess
import sys
import tempfile

try:
    import google.protobuf  # noqa: F401
except ImportError:
    print("python3-protobuf is not installed: tools/setup.sh installs it")
    sys.exit(77)

ROUNDS = 60
TEXTS = ["view", "购买", "", "a", "x" * 200, "héllo", "page", "home", "basket", "emoji 🛒"]


def load_schema(protoc, folder):
    out = tempfile.mkdtemp()
    subprocess.run([protoc, f"--python_out={out}", "-I", folder, "cairn.proto"], check=True)
    sys.path.insert(0, out)
    return importlib.import_module("cairn_pb2")


def text_or_code(rng, message, name, code, words):
    """A text spelt out, or by its code where it is in the dictionary."""
    text = rng.choice(TEXTS)
    if text in words and rng.random() < 0.5:
        setattr(message, code, words.index(text) + 1)
    else:
        setattr(message, name, text)


def fill_value(rng, p, words):
    kind = rng.randrange(7)
    if kind == 1:
        p.boolean = rng.random() < 0.5
    elif kind == 2:
        p.integer = rng.choice([0, -1, 2**63 - 1, -2**63, rng.randrange(10**6)])
    elif kind == 3:
        p.number = rng.choice([0.0, -0.0, 29.5, 1e300, rng.random()])
    elif kind == 4:
        text_or_code(rng, p, "text", "text_code", words)
    elif kind == 5:
        p.time_ms = rng.choice([0, -5, 1790000000000])
    elif kind == 6:
        p.list.items.extend(rng.choice(TEXTS) for _ in range(rng.randrange(5)))
        p.list.SetInParent()


def make_request(pb, rng):
    request = pb.SyncRequest(project_key="demo", device_id=rng.randbytes(16), sdk_name="peer",
                             sent_ms=1790000000000 + rng.randrange(1000), consent=1,
                             capabilities=rng.randrange(3))
    request.ids.add(type="login", value="u1")
    request.decision_counts.add(name="later", count=3)
    words = rng.sample(TEXTS, rng.randrange(len(TEXTS)))
    request.dictionary.extend(words)
    for seq in range(1, rng.randrange(2, 40)):
        event = request.events.add(seq=seq, time_ms=rng.randrange(2**41), kind=rng.randrange(16),
                                   mono_ms=rng.randrange(300), session=rng.randrange(3))
        text_or_code(rng, event, "name", "name_code", words)
        for _ in range(rng.randrange(8)):
            p = event.properties.add()
            text_or_code(rng, p, "name", "name_code", words)
            fill_value(rng, p, words)
        for _ in range(rng.randrange(3)):
            event.ids.add(type="mobile", value=rng.choice(TEXTS))
    return request


def hexed(text):
    return text.encode().hex()


def print_value(p, words):
    which = p.WhichOneof("value")
    if which is None:
        return "null"
    value = getattr(p, which)
    if which == "boolean":
        return f"boolean {int(value)}"
    if which == "number":
        return "number " + struct.pack(">d", value).hex()
    if which == "text":
        return "text " + hexed(value)
    if which == "text_code":
        return "text " + hexed(words[value - 1])
    if which == "time_ms":
        return f"time {value}"
    if which == "list":
        return " ".join(["list"] + [hexed(item) for item in value.items])
    return f"{which} {value}"


def name_of(message, words):
    return hexed(words[message.name_code - 1] if message.name_code else message.name)


def print_request(request):
    """The lines that wire_peer decode prints."""
    words = list(request.dictionary)
    out = [f"head {hexed(request.project_key)} {request.device_id.hex()} {request.sent_ms} "
           f"{request.consent}"]
    out += [f"id {hexed(i.type)} {hexed(i.value)}" for i in request.ids]
    for e in request.events:
        out.append(f"event {e.seq} {e.kind} {name_of(e, words)} {e.time_ms} {e.mono_ms} "
                   f"{e.session}")
        out += [f"property {name_of(p, words)} {print_value(p, words)}" for p in e.properties]
        out += [f"id {hexed(i.type)} {hexed(i.value)}" for i in e.ids]
    return "\n".join(out) + "\n"


def make_response(pb, rng):
    response = pb.SyncResponse(acked_seq=rng.randrange(2**40), server_ms=1790000000000,
                               bundle=rng.randbytes(rng.randrange(300)), bundle_version=3,
                               facts=b"f", facts_version=4, next_sync_ms=rng.randrange(2**32),
                               retry_after_ms=rng.randrange(5), new_device_id=rng.random() < 0.5)
    for _ in range(rng.randrange(4)):
        response.rejected.add(seq=rng.randrange(1, 99), reason=rng.choice(TEXTS))
    return response


def main():
    protoc, folder, peer = sys.argv[1:]
    pb = load_schema(protoc, folder)

    def run(mode, data):
        return subprocess.run([peer, mode], input=data, check=True, capture_output=True).stdout

    for seed in range(ROUNDS):
        rng = random.Random(seed)
        request = make_request(pb, rng)
        wire = request.SerializeToString()
        expected = print_request(request)
        assert run("decode", wire).decode() == expected, f"seed {seed}: we read it otherwise"
        ours = pb.SyncRequest.FromString(run("recode", wire))
        assert print_request(ours) == expected, f"seed {seed}: protobuf reads ours otherwise"

        response = make_response(pb, rng)
        again = pb.SyncResponse.FromString(run("response", response.SerializeToString()))
        assert again == response, f"seed {seed}: the response changed"
    print(f"{ROUNDS} requests and responses agree")


main()
