/** The local history in SQL of one client: the tab that sends keeps the table, others ask it. */
import type { Core } from '../core.js';
import type { DecisionsHost } from '../decisions.js';
import { randomName } from '../status.js';
import { nextRow } from './core.js';
import { SqlError, type Row, type SqlAnswer } from './engine.js';
import { OpfsFile, SUFFIXES } from './files.js';
import { SqlHistory, type HistoryStatus } from './history.js';
import type { OpenOptions } from './worker.js';

const BATCH_ROWS = 256;
const ANSWER_MS = 10_000;
/** After a failure, before the next attempt that nobody asked for. */
const BROKEN_MS = 30_000;
const REMOVE_TRIES = 50;
const REMOVE_WAIT_MS = 100;

export type SqlMessage =
  | { type: 'ask'; id: string; text: string }
  | { type: 'answer'; id: string; answer: SqlAnswer }
  | { type: 'error'; id: string; code: string; message: string };

export interface SqlOptions extends OpenOptions {
  /** Of the files on OPFS. */
  name: string;
  workerUrl: string | URL;
}

export class SqlTable {
  private history: Promise<SqlHistory> | null = null;
  private status: HistoryStatus | null = null;
  /** The device whose rows the table holds. */
  private device = '';
  private copying: Promise<void> | null = null;
  private again = false;
  private brokenUntilMs = 0;
  private forgetting: Promise<void> | null = null;
  private readonly asked = new Map<string, (message: SqlMessage) => void>();

  constructor(
    private readonly options: SqlOptions,
    private readonly module: () => Promise<WebAssembly.Module>,
    private readonly host: () => DecisionsHost,
  ) {}

  /** Where the rows are; null: this tab does not keep them. */
  where(): HistoryStatus | null {
    return this.status;
  }

  // --- keeping it up
  // ---------------------------------------------------------------------------------

  private open(): Promise<SqlHistory> {
    return (this.history ??= this.openNow());
  }

  private async openNow(): Promise<SqlHistory> {
    const { workerUrl, name, eventsMax, daysMax } = this.options;
    const limits = { eventsMax, daysMax };
    const opened = await SqlHistory.open(workerUrl, await this.module(), name, limits);
    this.status = opened.status;
    if (opened.status.storage === 'memory') {
      this.host().problem(
        'sql_in_memory',
        `the history in SQL lives as long as this page: ${opened.status.reason}`,
      );
    }
    return opened.history;
  }

  /** After a pump: copy what is new, unless it went wrong a moment ago. */
  pumped(): void {
    if (this.host().clock.monoMs() >= this.brokenUntilMs) void this.copy();
  }

  /** Copy what the core has kept and the table does not hold. */
  private copy(): Promise<void> {
    this.again = true;
    return (this.copying ??= this.copyAll().finally(() => (this.copying = null)));
  }

  private async copyAll(): Promise<void> {
    while (this.again) {
      this.again = false;
      try {
        await this.copyOnce();
      } catch (error) {
        if (this.history === null) return; // it was let go meanwhile
        this.host().problem('sql_failed', `the history in SQL is not kept up: ${String(error)}`);
        this.brokenUntilMs = this.host().clock.monoMs() + BROKEN_MS;
        this.leave();
      }
    }
  }

  private async copyOnce(): Promise<void> {
    const device = this.core()?.status().deviceId ?? '';
    if (device === '') return;
    await this.forgetting;
    const held = this.history;
    const history = await this.open();
    if (this.history === null || (held !== null && this.history !== held)) return;
    if (device !== this.device) {
      await history.own(device);
      this.device = device;
    }
    for (;;) {
      const rows = this.rows(history, device);
      if (rows.length === 0) return;
      await history.note(rows);
    }
  }

  private rows(history: SqlHistory, device: string): Row[] {
    const core = this.core();
    const rows: Row[] = [];
    if (!core || core.status().deviceId !== device) {
      this.again = core !== null;
      return rows;
    }
    for (let seq = history.noted(); rows.length < BATCH_ROWS;) {
      const row = nextRow(core, seq);
      if (!row) break;
      rows.push(row);
      seq = row.seq;
    }
    return rows;
  }

  private core(): Core | null {
    return this.host().role() === 'sender' ? this.host().core() : null;
  }

  /** Another tab keeps it from now on. */
  leave(): void {
    void this.history?.then((history) => history.close()).catch(() => undefined);
    this.history = null;
    this.status = null;
    this.device = '';
  }

  /** Nothing of it is left, in this page's worker or in a file that an earlier page has left. */
  forget(): Promise<void> {
    return (this.forgetting = this.forgetNow());
  }

  private async forgetNow(): Promise<void> {
    const history = await this.history?.catch(() => null);
    this.history = null;
    this.status = null;
    this.device = '';
    if (history) {
      await history.remove().catch(() => undefined);
      return;
    }
    for (const suffix of SUFFIXES) await this.removeFile(this.options.name + suffix);
  }

  /** A worker that was ended a moment ago may hold it still. */
  private async removeFile(name: string): Promise<void> {
    for (let left = REMOVE_TRIES; left > 0; left--) {
      try {
        return await OpfsFile.remove(name);
      } catch (error) {
        if ((error as DOMException | null)?.name !== 'NoModificationAllowedError') return; // none
      }
      await new Promise<void>((resolve) => this.host().clock.setTimeout(resolve, REMOVE_WAIT_MS));
    }
    this.host().problem('sql_not_removed', `the browser does not let go of ${name}`);
  }

  // --- asking
  // ---------------------------------------------------------------------------------------

  /** In any tab: what was tracked here before is in the answer. */
  async ask(text: string): Promise<SqlAnswer> {
    const host = this.host();
    const endMs = host.clock.monoMs() + ANSWER_MS;
    while (host.clock.monoMs() < endMs) {
      await host.until(() => host.role() !== 'starting', endMs);
      const role = host.role();
      if (role === 'waiting') throw new SqlError('no_consent', 'nothing is kept without consent');
      if (role === 'sender') return this.askHere(text);
      if (role !== 'follower') break;
      const reply = await this.askSender(text, endMs);
      if (reply?.type === 'answer') return reply.answer;
      if (reply?.type === 'error') throw new SqlError(reply.code, reply.message);
    }
    throw new SqlError('unavailable', 'no tab has the history in SQL');
  }

  private async askHere(text: string): Promise<SqlAnswer> {
    await this.host().drained();
    await new Promise<void>((kept) => this.host().whenKept(kept));
    await this.copy();
    return (await this.open()).ask(text);
  }

  /** Null: the one who was asked is gone. */
  private async askSender(text: string, endMs: number): Promise<SqlMessage | null> {
    const host = this.host();
    const id = randomName();
    let reply: SqlMessage | null = null;
    this.asked.set(id, (message) => {
      reply = message;
      host.changed();
    });
    host.whenKept(() => this.say({ type: 'ask', id, text }));
    await host.until(() => reply !== null || host.role() !== 'follower', endMs);
    this.asked.delete(id);
    return reply;
  }

  private say(message: SqlMessage): void {
    this.host().say({ type: 'more', more: message });
  }

  heard(message: SqlMessage): void {
    if (message.type !== 'ask') this.asked.get(message.id)?.(message);
    else if (this.host().role() === 'sender') void this.reply(message.id, message.text);
  }

  private async reply(id: string, text: string): Promise<void> {
    try {
      this.say({ type: 'answer', id, answer: await this.askHere(text) });
    } catch (error) {
      const code = error instanceof SqlError ? error.code : 'unavailable';
      this.say({ type: 'error', id, code, message: (error as Error).message });
    }
  }
}
