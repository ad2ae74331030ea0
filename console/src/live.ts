/* The live feed, held above the pages so that it goes on while another page is looked at. */
import { useCallback, useEffect, useRef, useState } from "react";

import { type LiveEvent, type Problem, type StreamState, follow } from "./api";

const EVENTS_KEPT_MAX = 300;
const NAMES_KEPT_MAX = 500;
export const SECONDS_SHOWN = 60;
const PAINT_MS = 250; // a burst of a thousand events is one repaint

export interface Row extends LiveEvent {
  key: number;
}

export interface Live {
  rows: Row[];
  names: string[];
  perSecond: number[];
  state: StreamState;
  problem?: Problem;
  paused: boolean;
  held: number;
  setPaused: (paused: boolean) => void;
  clear: () => void;
  reconnect: () => void;
}

interface Feed {
  fresh: Row[];
  names: Set<string>;
  seconds: Map<number, number>;
  count: number;
}

function secondNow(): number {
  return Math.floor(Date.now() / 1000);
}

function take(feed: Feed, event: LiveEvent): void {
  feed.count += 1;
  feed.fresh.unshift({ ...event, key: feed.count });
  feed.fresh.length = Math.min(feed.fresh.length, EVENTS_KEPT_MAX);
  if (feed.names.size < NAMES_KEPT_MAX) feed.names.add(event.event);
  const second = secondNow();
  feed.seconds.set(second, (feed.seconds.get(second) ?? 0) + 1);
}

function lastMinute(seconds: Map<number, number>): number[] {
  const now = secondNow();
  for (const second of seconds.keys()) if (second <= now - SECONDS_SHOWN) seconds.delete(second);
  return Array.from(
    { length: SECONDS_SHOWN },
    (_, index) => seconds.get(now - SECONDS_SHOWN + 1 + index) ?? 0,
  );
}

export function useLive(): Live {
  const feed = useRef<Feed>({ fresh: [], names: new Set(), seconds: new Map(), count: 0 });
  const pausedNow = useRef(false);
  const [paused, setPausedState] = useState(false);
  const [rows, setRows] = useState<Row[]>([]);
  const [names, setNames] = useState<string[]>([]);
  const [perSecond, setPerSecond] = useState<number[]>([]);
  const [held, setHeld] = useState(0);
  const [round, setRound] = useState(0);
  const [state, setState] = useState<{ state: StreamState; problem?: Problem }>({
    state: "connecting",
  });

  useEffect(() => {
    const stop = new AbortController();
    const onState = (next: StreamState, problem?: Problem) =>
      setState((before) => ({
        state: next,
        problem: next === "connecting" ? before.problem : problem, // no flicker while trying again
      }));
    void follow((event) => take(feed.current, event), onState, stop.signal);
    return () => stop.abort();
  }, [round]);

  useEffect(() => {
    const paint = setInterval(() => {
      const { fresh, names: seen, seconds } = feed.current;
      setPerSecond(lastMinute(seconds));
      setNames((before) => (before.length === seen.size ? before : [...seen].sort()));
      setHeld(pausedNow.current ? fresh.length : 0);
      if (pausedNow.current || fresh.length === 0) return;
      feed.current.fresh = [];
      setRows((before) => [...fresh, ...before].slice(0, EVENTS_KEPT_MAX));
    }, PAINT_MS);
    return () => clearInterval(paint);
  }, []);

  const setPaused = useCallback((next: boolean) => {
    pausedNow.current = next;
    setPausedState(next);
  }, []);
  const clear = useCallback(() => {
    feed.current.fresh = [];
    setRows([]);
  }, []);
  const reconnect = useCallback(() => setRound((before) => before + 1), []);
  return { rows, names, perSecond, ...state, paused, held, setPaused, clear, reconnect };
}
