#!/usr/bin/env python3
"""Goal: OpenSSL believes what we sign, and we believe what OpenSSL signs, and nothing else.
Method: keys of OpenSSL's making, both directions, messages of several lengths; one byte changed.
  openssl.py SIGNATURE_PEER
"""
import os
import shutil
import subprocess
import sys
import tempfile

if shutil.which("openssl") is None:
    print("openssl is not installed")
    sys.exit(77)

ROUNDS = 12


def run(*command):
    return subprocess.run(command, capture_output=True, check=True).stdout


def der_of(signature):
    """r and s, 32 bytes each, as OpenSSL's SEQUENCE of two INTEGERs."""
    def integer(raw):
        raw = raw.lstrip(b"\0") or b"\0"
        raw = b"\0" + raw if raw[0] & 0x80 else raw
        return bytes([2, len(raw)]) + raw
    body = integer(signature[:32]) + integer(signature[32:])
    return bytes([0x30, len(body)]) + body


def raw_of(der):
    numbers, at = [], 2
    for _ in range(2):
        size = der[at + 1]
        numbers.append(der[at + 2:at + 2 + size].lstrip(b"\0").rjust(32, b"\0"))
        at += 2 + size
    return b"".join(numbers)


def believed(folder, public, message, signature):
    path = os.path.join(folder, "signature")
    with open(path, "wb") as file:
        file.write(der_of(signature))
    done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", public, "-signature", path,
                           message], capture_output=True, check=False)
    return done.returncode == 0


def one_round(peer, folder, number):
    key, public, message = (os.path.join(folder, name) for name in ("key", "public", "message"))
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    if number % 2:  # "PRIVATE KEY" (PKCS#8) as well as "EC PRIVATE KEY"
        run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", key, "-out", key + "8")
        os.replace(key + "8", key)
    run("openssl", "pkey", "-in", key, "-pubout", "-out", public)
    with open(message, "wb") as file:
        file.write(os.urandom(number * number * 97))
    ours, point = run(peer, "sign", key, message).decode().split()
    assert believed(folder, public, message, bytes.fromhex(ours)), "OpenSSL refuses ours"
    theirs = raw_of(run("openssl", "dgst", "-sha256", "-sign", key, message)).hex()
    assert run(peer, "verify", point, theirs, message) == b"yes\n", "we refuse OpenSSL's"
    with open(message, "ab") as file:
        file.write(b"!")
    assert not believed(folder, public, message, bytes.fromhex(ours))
    assert run(peer, "verify", point, theirs, message) == b"no\n"


def main():
    with tempfile.TemporaryDirectory(prefix="cairn-openssl-") as folder:
        for number in range(ROUNDS):
            one_round(sys.argv[1], folder, number)
    print(f"{ROUNDS} keys, both ways")


if __name__ == "__main__":
    main()
