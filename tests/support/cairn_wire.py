"""cairn_wire.py: proto/cairn.proto by hand, so that tests do not trust the code they test.

Only what a device sends and reads: SyncRequest with track and login events, SyncResponse.
"""
import struct


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value):
    return (value << 1) ^ (value >> 63)


def number_field(field, value):
    return varint(field << 3) + varint(value)


def bytes_field(field, data):
    if isinstance(data, str):
        data = data.encode()
    return varint(field << 3 | 2) + varint(len(data)) + data


def property_message(name, value):
    out = bytes_field(2, name)
    if isinstance(value, bool):
        return out + number_field(3, int(value))
    if isinstance(value, int):
        return out + number_field(4, zigzag(value))
    if isinstance(value, float):
        return out + varint(5 << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, list):
        return out + bytes_field(9, b"".join(bytes_field(1, item) for item in value))
    return out + bytes_field(6, value)


def event_message(seq, name, time_ms, properties):
    out = number_field(1, seq) + bytes_field(3, name) + number_field(4, time_ms)
    return out + b"".join(bytes_field(8, property_message(*item)) for item in properties.items())


def login_message(seq, time_ms, kind, value):
    """The device's person is from now on the one with this id."""
    person = bytes_field(1, kind) + bytes_field(2, value)
    return (number_field(1, seq) + number_field(4, time_ms) + number_field(7, 1)
            + bytes_field(9, person))


def sync_request(key, device_id, sent_ms, events, bundle_version=None, facts_version=0):
    """`events`: encoded Event messages, the oldest first. A device that decides has a bundle of
    some version, 0 before its first."""
    head = bytes_field(1, key) + bytes_field(2, device_id) + bytes_field(3, "test")
    head += bytes_field(4, "0") + number_field(6, sent_ms)
    if bundle_version is not None:
        head += number_field(9, bundle_version) + number_field(11, 1)
        head += number_field(10, facts_version)
    return head + b"".join(bytes_field(14, event) for event in events)


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(field, value) of a message: an int for wire type 0, bytes for 1, 2 and 5."""
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = read_varint(data, at)
        else:
            length = {1: 8, 5: 4}.get(kind)
            if length is None:
                length, at = read_varint(data, at)
            value = data[at:at + length]
            at += length
        yield tag >> 3, value


def sync_response(data):
    """{"acked_seq": .., "rejected": [(seq, reason)], "retry_after_ms": .., "new_device_id": ..,
    "bundle": .., "bundle_version": ..}"""
    out = {"acked_seq": 0, "rejected": [], "retry_after_ms": 0, "new_device_id": False,
           "bundle": b"", "bundle_version": 0, "facts": b"", "facts_version": 0}
    for field, value in fields(data):
        if field == 1:
            out["acked_seq"] = value
        elif field == 2:
            one = dict(fields(value))
            out["rejected"].append((one.get(1, 0), one.get(2, b"").decode()))
        elif field == 4:
            out["bundle"] = value
        elif field == 5:
            out["bundle_version"] = value
        elif field == 6:
            out["facts"] = value
        elif field == 7:
            out["facts_version"] = value
        elif field == 10:
            out["retry_after_ms"] = value
        elif field == 12:
            out["new_device_id"] = bool(value)
    return out
