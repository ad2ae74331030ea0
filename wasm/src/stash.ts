/** For one moment only: a page that is left before its database is open. localStorage is written at
 * once there, and outlives a page that is left; it would not outlive a killed browser, which is why
 * nothing else is kept in it. The next sender moves the calls into the inbox. */
import type { Call } from './call.js';

const CALLS_MAX = 200;

function pack(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { $bigint: String(value) } : value;
}

function unpack(_name: string, value: unknown): unknown {
  const held = value as { $bigint?: string; $date?: number } | null;
  if (typeof held?.$bigint === 'string') return BigInt(held.$bigint);
  if (typeof held?.$date === 'number') return new Date(held.$date);
  return value;
}

/** JSON turns a Date into a string before pack() sees it. */
const packed = (call: Call): Call => ({
  ...call,
  properties: Object.fromEntries(
    Object.entries(call.properties).map(([name, value]) => [
      name,
      value instanceof Date ? { $date: value.getTime() } : value,
    ]),
  ) as Call['properties'],
});

function read(key: string): Call[] {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '[]', unpack) as Call[];
  } catch {
    return [];
  }
}

export function stash(key: string, calls: Call[]): void {
  if (calls.length === 0) return;
  try {
    const all = [...read(key), ...calls].slice(-CALLS_MAX);
    localStorage.setItem(key, JSON.stringify(all.map(packed), pack));
  } catch {
    // refused or full: there is nowhere left to put them
  }
}

/** Take the calls of pages that were left too early, oldest first. Taken first and written then: a
 * page that is left between the two has begun the write, so nothing is lost or doubled. */
export function unstash(key: string): Call[] {
  const calls = read(key);
  if (calls.length > 0) localStorage.removeItem(key);
  return calls;
}
