/* Event names to choose from: those of the last days, as the edge counts them, and those that the
 * live feed has shown since this page was opened. */
import { useEffect, useState } from "react";

import { analyze } from "./api";
import { localZone } from "./query";

const NAMES_MAX = 200;

const namesQuery = {
  model: "event",
  from: "-90d",
  to: "now",
  timezone: localZone,
  series: [{ name: "events", on: "*", measure: "count" }],
  by: ["event.$name"],
  limit: NAMES_MAX,
};

export function useEventNames(seen: string[]): string[] {
  const [counted, setCounted] = useState<string[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    analyze(namesQuery, stop.signal).then(
      ({ rows }) => setCounted(rows.map((row) => String(row[0]))),
      () => undefined, // names can be typed, too; the question itself will show what is wrong
    );
    return () => stop.abort();
  }, []);
  return [...new Set([...counted, ...seen])].sort();
}
