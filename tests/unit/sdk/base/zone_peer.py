#!/usr/bin/env python3
"""Python's zoneinfo and sdk/base/zone.c read the same files and must agree.

zone_peer.py PEER: for zones that are hard in different ways, thousands of moments, most of them
near a change of the clock; offsets, local days, wall clocks to moments, and units. Exit 77: no
zoneinfo here.
"""
import os
import random
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone

ROOT = "/usr/share/zoneinfo"
ZONES = [
    "Asia/Shanghai", "America/New_York", "Europe/London", "Asia/Kathmandu", "Australia/Lord_Howe",
    "America/Sao_Paulo", "Africa/Casablanca", "Europe/Dublin", "Pacific/Apia", "America/St_Johns",
    "America/Nuuk", "Asia/Gaza", "Antarctica/Troll", "Etc/UTC", "Asia/Tehran",
]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
UNITS = ["minute", "hour", "day", "week", "month", "quarter", "year"]


def aware(ms):
    return EPOCH + timedelta(milliseconds=ms)


def ms_of(moment):
    return (moment - EPOCH) // timedelta(milliseconds=1)


def offset(zone, ms):
    return int(aware(ms).astimezone(zone).utcoffset().total_seconds())


def to_utc(zone, local_ms):
    """The first moment whose wall clock is not before local_ms, from the definition."""
    naive = datetime(1970, 1, 1) + timedelta(milliseconds=local_ms)
    first = ms_of(naive.replace(tzinfo=zone, fold=0).astimezone(timezone.utc))
    if first + 1000 * offset(zone, first) == local_ms:
        return first
    low, high = first - 86400000 * 2, first + 86400000 * 2  # a gap: where its end is
    while high - low > 1:
        middle = (low + high) // 2
        if middle + 1000 * offset(zone, middle) < local_ms:
            low = middle
        else:
            high = middle
    return high


def day(zone, ms):
    return (ms + 1000 * offset(zone, ms)) // 86400000


def day_start(zone, days):
    return to_utc(zone, days * 86400000)


def unit_first_day(unit, days, count):
    when = date(1970, 1, 1) + timedelta(days=days)
    if unit == "day":
        return days + count
    if unit == "week":
        return days - when.weekday() + 7 * count
    length = {"month": 1, "quarter": 3, "year": 12}[unit]
    month = ((when.year * 12 + when.month - 1) // length + count) * length
    return (date(month // 12, month % 12 + 1, 1) - date(1970, 1, 1)).days


def moments(zone, rng):
    """Random moments, and moments near every change of offset between 1900 and 2120."""
    low, high = ms_of(datetime(1900, 1, 1, tzinfo=timezone.utc)), \
        ms_of(datetime(2120, 1, 1, tzinfo=timezone.utc))
    near = []
    step = 7 * 86400000
    for at in range(low, high, step):
        if offset(zone, at) != offset(zone, at + step):
            a, b = at, at + step
            while b - a > 1:
                middle = (a + b) // 2
                a, b = (middle, b) if offset(zone, middle) == offset(zone, at) else (a, middle)
            near.append(b)
    near = rng.sample(near, min(len(near), 60))
    for at in near:
        yield from (at - 1, at, at + rng.randrange(-90000000, 90000000))
    for _ in range(150):
        yield rng.randrange(low, high)


def questions(zone, rng):
    for ms in moments(zone, rng):
        yield f"offset {ms}", offset(zone, ms)
        yield f"day {ms}", day(zone, ms)
        local = ms + rng.randrange(-40000000, 40000000)
        yield f"utc {local}", to_utc(zone, local)
        days = day(zone, ms)
        yield f"day_start {days}", day_start(zone, days)
        for number, unit in enumerate(UNITS):
            if unit in ("minute", "hour"):
                continue
            start = day_start(zone, unit_first_day(unit, days, 0))
            yield f"start {number} {ms}", start
            count = rng.randrange(-30, 30)
            base = day(zone, start)
            yield f"add {number} {start} {count}", \
                day_start(zone, unit_first_day(unit, base, count))


def main():
    try:
        from zoneinfo import ZoneInfo
    except ImportError:
        return 77
    checked = 0
    for name in ZONES:
        path = os.path.join(ROOT, name)
        if not os.path.exists(path):
            continue
        with open(path, "rb") as file:
            zone = ZoneInfo.from_file(file)
        asked = list(questions(zone, random.Random(name)))
        run = subprocess.run([sys.argv[1], path], text=True, capture_output=True, check=False,
                             input="".join(text + "\n" for text, _ in asked))
        answers = run.stdout.split()
        if len(answers) != len(asked):
            print(f"{name}: {len(answers)} answers to {len(asked)}: {run.stdout[:80]}{run.stderr}")
            return 1
        for (text, want), got in zip(asked, answers):
            if int(got) != want:
                print(f"{name}: {text}: got {got}, Python says {want}")
                return 1
        checked += len(asked)
    print(f"{checked} answers agree")
    return 0 if checked else 77


if __name__ == "__main__":
    sys.exit(main())
