/** The store in IndexedDB, write-behind: nothing awaits a put, but every put is kept in memory
 * until
 * its transaction has completed, and is written again after a lost connection. What one task writes
 * shares a transaction; transactions complete in the order in which they were made, so what is on
 * disk is always a beginning of what was written. Keys are explicit: writing a group twice is as
 * writing it once. */
import type { Call } from './call.js';
import type { Chunk, Done, Held, Op, Store } from './store.js';

const VERSION = 1;
const STORES = ['log', 'state', 'inbox'] as const;
/** Calls taken by one transaction. */
const DRAIN_CALLS_MAX = 200;
const REOPEN_ATTEMPTS_MAX = 6;
const REOPEN_WAIT_MS = 50;

type InboxKey = [timeMs: number, tab: string, index: number];

interface Group {
  ops: Op[];
  /** Calls that the core has turned into ops of this group: theirs again if it cannot be kept. */
  origins: Call[];
  /** Inbox entries that this group replaces. */
  taken: InboxKey[];
  done: Done[];
  /** The transaction that carries it, once there is one. */
  carried: boolean;
}

export interface IdbEvents {
  /** The store is given up: `calls` were never kept and are the caller's again. */
  failed(reason: string, calls: Call[]): void;
}

export class IdbStore implements Store {
  readonly kind = 'indexeddb';
  private db: IDBDatabase | null = null;
  private opening: Promise<IDBDatabase | null> | null = null;
  private readonly pending: Group[] = [];
  private current: Group | null = null;
  private capture: Group | null = null;
  private attempts = 0;
  private reopening = false;
  private closed = false;
  /** Why the store is being given up; what is on its way is waited for. */
  private failing: string | null = null;
  private callIndex = 0;

  constructor(
    private readonly name: string,
    private readonly tab: string,
    private readonly events: IdbEvents,
  ) {
    void this.open();
  }

  submit(op: Op, done?: Done): void {
    if (this.closed) return;
    const group = this.capture ?? (this.current ??= this.newGroup());
    group.ops.push(op);
    if (done) group.done.push(done);
  }

  origin(call: Call): void {
    if (!this.closed && !this.capture) (this.current ??= this.newGroup()).origins.push(call);
  }

  async load(): Promise<Held> {
    for (let waitMs = REOPEN_WAIT_MS; !this.closed; waitMs *= 2) {
      const db = await this.open();
      try {
        if (db) return await this.loadFrom(db);
      } catch (error) {
        this.interrupted(error);
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    return { chunks: [], states: [] };
  }

  private async loadFrom(db: IDBDatabase): Promise<Held> {
    const transaction = db.transaction(['log', 'state'], 'readonly');
    const [keys, values, slots, states] = await Promise.all([
      result(transaction.objectStore('log').getAllKeys()),
      result(transaction.objectStore('log').getAll()),
      result(transaction.objectStore('state').getAllKeys()),
      result(transaction.objectStore('state').getAll()),
    ]);
    const chunks = keys.map((key, i): Chunk => {
      const [segment, index] = key as [number, number];
      return { segment, index, bytes: values[i] as Uint8Array };
    });
    return {
      chunks,
      states: slots.map((slot, i) => ({ slot: slot as number, bytes: states[i] as Uint8Array })),
    };
  }

  async drain(run: (call: Call) => void): Promise<number> {
    const db = await this.open();
    if (this.closed) return 0;
    this.hurry();
    const unwritten = this.pending.some((group) => !group.carried); // they go first
    if (!db || this.failing !== null || unwritten) return -1;
    try {
      return await this.drainIn(db, run);
    } catch (error) {
      this.interrupted(error);
      return -1; // what was captured waits in `pending`; the inbox keeps the rest
    }
  }

  private drainIn(db: IDBDatabase, run: (call: Call) => void): Promise<number> {
    return new Promise((resolve, reject) => {
      const transaction = readwrite(db);
      const inbox = transaction.objectStore('inbox');
      const keys = inbox.getAllKeys(null, DRAIN_CALLS_MAX);
      const calls = inbox.getAll(null, DRAIN_CALLS_MAX);
      const group = this.newGroup(false);
      transaction.oncomplete = () => {
        this.completed(group);
        resolve(group.taken.length);
      };
      transaction.onabort = () => {
        this.interrupted(transaction.error, group);
        reject(transaction.error ?? new Error('aborted'));
      };
      calls.onsuccess = () => {
        if (this.closed) return;
        group.taken = keys.result as InboxKey[];
        if (group.taken.length === 0) return;
        this.capture = group;
        try {
          for (const call of calls.result as Call[]) run(call);
        } finally {
          this.capture = null;
        }
        this.pending.push(group);
        group.carried = true;
        this.write(group, transaction);
      };
    });
  }

  hurry(): void {
    if (this.current) {
      if (this.current.ops.length > 0) this.pending.push(this.current);
      this.current = null;
    }
    if (this.failing !== null) return this.finishFailing();
    if (this.closed || this.pending.length === 0) return;
    if (!this.db) {
      if (!this.reopening) void this.open();
      return;
    }
    for (const group of this.pending) {
      if (!group.carried && !this.carry(group)) return;
    }
  }

  private readonly waiting: (() => void)[] = [];
  whenKept(run: () => void): void {
    if (this.settled()) run();
    else this.waiting.push(run);
  }

  private settled(): boolean {
    return this.pending.length === 0 && this.current === null;
  }

  takeEarly(): Call[] {
    if (this.db || this.reopening) return [];
    this.hurry();
    const early = this.pending.filter(
      (group) => !group.carried && group.ops.every((op) => op.kind === 'call'),
    );
    for (const group of early) this.pending.splice(this.pending.indexOf(group), 1);
    return early.flatMap((group) =>
      group.ops.flatMap((op) => (op.kind === 'call' ? [op.call] : [])),
    );
  }

  close(): void {
    this.hurry();
    this.closed = true;
    this.db?.close(); // transactions that were begun still complete
    this.db = null;
  }

  private newGroup(scheduled = true): Group {
    if (scheduled) queueMicrotask(() => this.hurry());
    return { ops: [], origins: [], taken: [], done: [], carried: false };
  }

  /** Begin the group's transaction. False when the connection is lost. */
  private carry(group: Group): boolean {
    if (!this.db) return false;
    try {
      const transaction = readwrite(this.db);
      group.carried = true;
      transaction.oncomplete = () => this.completed(group);
      transaction.onabort = () => this.interrupted(transaction.error, group);
      this.write(group, transaction);
      transaction.commit?.();
      return true;
    } catch (error) {
      this.interrupted(error, group);
      return false;
    }
  }

  private write(group: Group, transaction: IDBTransaction): void {
    const log = transaction.objectStore('log');
    const inbox = transaction.objectStore('inbox');
    for (const op of group.ops) {
      if (op.kind === 'append') log.put(op.bytes, [op.segment, op.index]);
      else if (op.kind === 'remove') log.delete(IDBKeyRange.bound([op.segment], [op.segment, []]));
      else if (op.kind === 'state') transaction.objectStore('state').put(op.bytes, op.slot);
      else if (op.kind === 'call') inbox.put(op.call, this.inboxKey(op.call));
      else inbox.clear();
    }
    for (const key of group.taken) inbox.delete(key);
  }

  /** A call keeps its key, so that writing it again does not make two of it. */
  private readonly keys = new WeakMap<Call, InboxKey>();
  private inboxKey(call: Call): InboxKey {
    let key = this.keys.get(call);
    if (!key) {
      key = [call.timeMs, this.tab, this.callIndex++];
      this.keys.set(call, key);
    }
    return key;
  }

  private completed(group: Group): void {
    const at = this.pending.indexOf(group);
    if (at >= 0) this.pending.splice(at, 1);
    this.attempts = 0;
    for (const done of group.done) done(true);
    if (this.failing !== null) this.finishFailing();
    if (this.settled()) for (const run of this.waiting.splice(0)) run();
  }

  /** A transaction was refused or the connection is gone: reopen and write again what was in it. */
  private interrupted(error: unknown, group?: Group): void {
    if (group) group.carried = false;
    if (this.closed) return;
    if (this.failing !== null) return this.finishFailing();
    if ((error as DOMException | null)?.name === 'QuotaExceededError') {
      this.giveUp('storage_full');
      return;
    }
    this.db?.close();
    this.db = null;
    if (this.reopening) return;
    if (this.attempts >= REOPEN_ATTEMPTS_MAX) {
      this.giveUp('storage_failed');
      return;
    }
    this.reopening = true;
    setTimeout(
      () => {
        this.reopening = false;
        this.hurry();
      },
      REOPEN_WAIT_MS * 2 ** this.attempts++,
    );
  }

  private giveUp(reason: string): void {
    if (this.closed || this.failing !== null) return;
    this.failing = reason;
    this.finishFailing();
  }

  /** A transaction under way may yet complete: handing its calls back before would double them. */
  private finishFailing(): void {
    if (this.closed || this.pending.some((group) => group.carried)) return;
    this.closed = true;
    this.db?.close();
    this.db = null;
    const groups = this.current ? [...this.pending, this.current] : this.pending.slice();
    this.pending.length = 0;
    this.current = null;
    const calls = groups.flatMap((group) => [
      ...group.origins,
      ...group.ops.flatMap((op) => (op.kind === 'call' ? [op.call] : [])),
    ]);
    for (const group of groups) for (const done of group.done) done(false);
    this.events.failed(this.failing ?? '', calls);
  }

  private open(): Promise<IDBDatabase | null> {
    if (this.db) return Promise.resolve(this.db);
    if (this.closed) return Promise.resolve(null);
    return (this.opening ??= this.openNow().finally(() => {
      this.opening = null;
    }));
  }

  private async openNow(): Promise<IDBDatabase | null> {
    try {
      const db = await opened(this.name);
      if (this.closed) {
        db.close();
        return null;
      }
      db.onclose = () => this.interrupted(null);
      db.onversionchange = () => db.close();
      this.db = db;
      this.hurry();
      return db;
    } catch (error) {
      const name = (error as DOMException | null)?.name ?? '';
      if (name === 'UnknownError' || name === 'InvalidStateError' || name === 'AbortError') {
        this.interrupted(error);
      } else {
        this.giveUp('storage_refused');
      }
      return null;
    }
  }
}

/** Relaxed: survives a killed browser (measured), without waiting for the disk at every event. */
function readwrite(db: IDBDatabase): IDBTransaction {
  return db.transaction(STORES as unknown as string[], 'readwrite', { durability: 'relaxed' });
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Remove the database; nothing happens where there is none. Settles always. */
export function removeDatabase(name: string): Promise<void> {
  return new Promise((resolve) => {
    if (typeof indexedDB === 'undefined') return resolve();
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onerror = () => resolve();
  });
}

function opened(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, VERSION);
  request.onupgradeneeded = () => {
    for (const store of STORES) {
      if (!request.result.objectStoreNames.contains(store))
        request.result.createObjectStore(store);
    }
  };
  return result(request);
}
