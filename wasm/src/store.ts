/** The store seam: what the core and the tabs write, in groups that are kept whole or not at
 * all. */
import type { Call } from './call.js';

export type Op =
  | { kind: 'append'; segment: number; index: number; bytes: Uint8Array }
  | { kind: 'remove'; segment: number }
  | { kind: 'state'; slot: number; bytes: Uint8Array }
  | { kind: 'call'; call: Call }
  /** Every call in the inbox, of whatever tab, is forgotten. */
  | { kind: 'forget' };

export interface Chunk {
  segment: number;
  index: number;
  bytes: Uint8Array;
}

/** All that the store holds of the core, in the order in which it was written. */
export interface Held {
  chunks: Chunk[];
  states: { slot: number; bytes: Uint8Array }[];
}

/** `durable` is false when the bytes can no longer be kept. */
export type Done = (durable: boolean) => void;

export interface Store {
  readonly kind: 'indexeddb' | 'memory';
  /** Write op; never waits. Ops of one task share one transaction. */
  submit(op: Op, done?: Done): void;
  /** The next ops come from this call: if they cannot be kept, the call is handed back. */
  origin(call: Call): void;
  load(): Promise<Held>;
  /** Take calls from the inbox, oldest first, and let `run` turn each into ops of the same
   * transaction. Resolves to the number taken; -1: not now, try again soon. */
  drain(run: (call: Call) => void): Promise<number>;
  /** Begin writing everything that waits, now (the page is going). */
  hurry(): void;
  /** Calls that cannot be written because the store is not open yet; they are the caller's
   * again. */
  takeEarly(): Call[];
  /** Run once everything submitted so far is kept. An event may be sent only then: were it lost
   * after it was sent, its sequence number would be given again, to another event. */
  whenKept(run: () => void): void;
  close(): void;
}

/** Nothing outlives the page: private windows, refused or full storage, no Web Locks. */
export class MemoryStore implements Store {
  readonly kind = 'memory';
  private readonly inbox: Call[] = [];

  constructor(
    private readonly inboxCallsMax: number,
    private readonly onDropped: () => void,
  ) {}

  submit(op: Op, done?: Done): void {
    if (op.kind === 'forget') this.inbox.length = 0;
    if (op.kind === 'call') {
      this.inbox.push(op.call);
      if (this.inbox.length > this.inboxCallsMax) {
        this.inbox.shift();
        this.onDropped();
      }
    }
    if (done) queueMicrotask(() => done(true));
  }

  load(): Promise<Held> {
    return Promise.resolve({ chunks: [], states: [] });
  }

  drain(run: (call: Call) => void): Promise<number> {
    const calls = this.inbox.splice(0);
    for (const call of calls) run(call);
    return Promise.resolve(calls.length);
  }

  hurry(): void {}

  origin(): void {}

  takeEarly(): Call[] {
    return [];
  }

  whenKept(run: () => void): void {
    run();
  }

  close(): void {}
}
