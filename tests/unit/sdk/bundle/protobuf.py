#!/usr/bin/env python3
"""Goal: the tables of sdk/bundle/schema.c are proto/cairn.proto's messages.
Method: Google's protobuf reads random bundles: it knows every field, none has another type, every
message is used, and it writes the same bytes again.
  protobuf.py PROTOC PROTO_FOLDER BUNDLE_PEER
"""
import importlib
import subprocess
import sys
import tempfile

try:
    import google.protobuf  # noqa: F401
except ImportError:
    print("python3-protobuf is not installed: tools/setup.sh installs it")
    sys.exit(77)

ROUNDS = 20


def load_schema(protoc, folder):
    out = tempfile.mkdtemp()
    subprocess.run([protoc, f"--python_out={out}", "-I", folder, "cairn.proto"], check=True)
    sys.path.insert(0, out)
    return importlib.import_module("cairn_pb2")


def set_fields(message, seen):
    for field, value in message.ListFields():
        seen.add(f"{message.DESCRIPTOR.name}.{field.name}")
        if field.message_type is not None:
            for inner in value if field.label == field.LABEL_REPEATED else [value]:
                set_fields(inner, seen)


def all_fields(descriptor, known):
    for field in descriptor.fields:
        name = f"{descriptor.name}.{field.name}"
        if name not in known:
            known.add(name)
            if field.message_type is not None:
                all_fields(field.message_type, known)


def main():
    schema = load_schema(sys.argv[1], sys.argv[2])
    seen, known = set(), set()
    for seed in range(ROUNDS):
        done = subprocess.run([sys.argv[3], str(seed)], capture_output=True, check=True)
        bundle = schema.Bundle.FromString(done.stdout)
        assert bundle.project == "demo" and len(bundle.popups) == 9 and len(bundle.experiments) == 7
        assert bundle.popups[0].priority == 100 and bundle.popups[0].variants[0].content[0] == "{"
        set_fields(bundle, seen)
        bundle.DiscardUnknownFields()
        assert bundle.SerializeToString(deterministic=True) == done.stdout, seed
    all_fields(schema.Bundle.DESCRIPTOR, known)
    # zones need a table; the maker's experiments and ranks do not use the rest
    unused = {"Bundle.zone", "Bundle.zones", "Property.name_code", "Property.text_code",
              "Rank.fact", "ForcedUnit.variant", "Experiment.force_all_variant",
              "Experiment.murmur_seed", "Experiment.murmur_steps"}
    assert known - seen <= unused, known - seen - unused
    print(f"{len(seen)} fields of {len(known)}")


if __name__ == "__main__":
    main()
