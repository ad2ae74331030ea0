/* What the console says to the edge's admin listener, and nothing else. Answers that are not what
 * they should be become a Problem, which every page shows the same way. */
import { BlockReader, type Block } from "./sse";

/** RFC 9457, as the edge writes it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly field?: string,
    readonly fix?: string,
    readonly code?: string,
  ) {
    super(detail || title);
  }
}

export type Cell = string | number | boolean | null;

export interface Answer {
  model: string;
  columns: string[];
  rows: Cell[][];
  totals?: unknown;
  stats?: { events_read?: number; persons_read?: number; ms?: number };
}

export interface LiveEvent {
  time: string | number;
  person: string | number;
  event: string;
  properties: Record<string, unknown>;
  ids?: Record<string, unknown>;
}

const TOKEN_KEY = "cairn.token";

/** The admin token lives as long as the tab; an edge on loopback asks for none. */
export function setToken(token: string): void {
  if (token) sessionStorage.setItem(TOKEN_KEY, token);
  else sessionStorage.removeItem(TOKEN_KEY);
}

function headers(extra: Record<string, string>): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN_KEY);
  return token ? { ...extra, authorization: `Bearer ${token}` } : extra;
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const body = JSON.parse(text) as Record<string, string | undefined>;
    return new Problem(
      response.status,
      body.title ?? response.statusText,
      body.detail ?? "",
      body.field,
      body.fix,
      body.code,
    );
  } catch {
    return new Problem(response.status, response.statusText, text.slice(0, 300));
  }
}

export async function analyze(query: object, signal?: AbortSignal): Promise<Answer> {
  const response = await fetch("/v1/analyze", {
    method: "POST",
    headers: headers({ "content-type": "application/json" }),
    body: JSON.stringify(query),
    signal,
  });
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as Answer;
}

async function readStream(response: Response, onBlock: (block: Block) => void): Promise<void> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const blocks = new BlockReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    blocks.take(value).forEach(onBlock);
  }
}

function eventOf(block: Block): LiveEvent | undefined {
  if (block.kind !== "event" || block.data === "") return undefined;
  try {
    return JSON.parse(block.data) as LiveEvent;
  } catch {
    return undefined;
  }
}

export type StreamState = "connecting" | "open" | "waiting";

const RECONNECT_MS_MIN = 500;
const RECONNECT_MS_MAX = 15000;

/** Follows /v1/stream until the signal aborts; comes back by itself, ever slower, after a break.
 * fetch and not EventSource, because that one cannot carry a token. */
export async function follow(
  onEvent: (event: LiveEvent) => void,
  onState: (state: StreamState, problem?: Problem) => void,
  signal: AbortSignal,
): Promise<void> {
  let wait_ms = RECONNECT_MS_MIN;
  let last: string | undefined;
  while (!signal.aborted) {
    let problem: Problem | undefined;
    try {
      onState("connecting");
      const resume: Record<string, string> = last ? { "last-event-id": last } : {};
      const response = await fetch("/v1/stream", {
        headers: headers({ accept: "text/event-stream", ...resume }),
        signal,
      });
      if (!response.ok) throw await problemOf(response);
      onState("open");
      await readStream(response, (block) => {
        wait_ms = RECONNECT_MS_MIN;
        last = block.id ?? last;
        const event = eventOf(block);
        if (event) onEvent(event);
      });
    } catch (error) {
      if (signal.aborted) return;
      problem = error instanceof Problem ? error : undefined;
    }
    if (signal.aborted) return;
    onState("waiting", problem);
    await new Promise((done) => setTimeout(done, wait_ms));
    wait_ms = Math.min(wait_ms * 2, RECONNECT_MS_MAX);
  }
}
