#!/usr/bin/env python3
"""make_orders.py FILE.csv: a made-up shop's orders, the same ones on every machine.

Columns as in the public CDNOW sample: customer, date (YYYYMMDD), discs, amount. Customers buy for
the first time in the first quarter; some never come back, a few come back often.
"""
import csv
import datetime
import random
import sys

CUSTOMERS = 2000
FIRST_DAY = datetime.date(2026, 1, 1)
FIRST_DAYS = 84
LAST_DAY = datetime.date(2026, 10, 31)


def orders_of(customer, dice):
    """Between orders passes an exponential time of the customer's mean; each may be the last."""
    mean_days = dice.choice((20, 45, 90, 180))
    leaves = dice.choice((0.9, 0.6, 0.35, 0.1))
    day = FIRST_DAY + datetime.timedelta(days=dice.randrange(FIRST_DAYS))
    while day <= LAST_DAY:
        discs = 1 + min(int(dice.expovariate(0.8)), 12)
        amount = discs * dice.choice((9.99, 11.77, 12.99, 14.49))
        yield customer, day.strftime("%Y%m%d"), discs, f"{amount:.2f}"
        if dice.random() < leaves:
            return
        day += datetime.timedelta(days=1 + int(dice.expovariate(1 / mean_days)))


def main():
    dice = random.Random(20260101)
    rows = [row for customer in range(1, CUSTOMERS + 1) for row in orders_of(customer, dice)]
    rows.sort(key=lambda row: (row[1], row[0]))
    with open(sys.argv[1], "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("sampleid", "date", "cds", "sales"))
        writer.writerows(rows)
    print(f"{len(rows)} orders of {CUSTOMERS} customers in {sys.argv[1]}")


if __name__ == "__main__":
    main()
