/** The page's side of the local history in SQL: asks the worker, and knows when there is none. */
import { SqlError, type Row, type SqlAnswer } from './engine.js';
import type { FromWorker, OpenOptions, ToWorker } from './worker.js';

export interface HistoryStatus {
  /** "opfs": rows outlive the browser. "memory": they live as long as this page; reason says why. */
  storage: 'opfs' | 'memory';
  reason: string;
  /** The newest row's seq. */
  newest: number;
}

type Reply = { resolve(value: FromWorker): void; reject(error: unknown): void };
type Message<T> = T extends unknown ? Omit<T, 'id'> : never;

export class SqlHistory {
  private readonly replies = new Map<number, Reply>();
  private lastId = 0;
  private newest = 0;

  private constructor(private readonly worker: Worker) {
    worker.onmessage = (event: MessageEvent<FromWorker>) => this.heard(event.data);
    worker.onerror = (event) => this.lost(event.message);
  }

  /** Start the worker at this address. Rejects where it does not start. */
  static async open(
    workerUrl: string | URL,
    module: WebAssembly.Module,
    name: string,
    options: OpenOptions,
  ): Promise<{ history: SqlHistory; status: HistoryStatus }> {
    const history = new SqlHistory(new Worker(workerUrl, { type: 'module' }));
    const reply = await history.send({ type: 'open', module, name, options });
    if (!('opened' in reply)) throw new SqlError('unavailable', 'the worker did not open');
    history.newest = reply.opened.newest;
    return { history, status: reply.opened };
  }

  /** What follows this seq is to be noted. */
  noted(): number {
    return this.newest;
  }

  /** Resolves when they are durable. */
  async note(rows: Row[]): Promise<void> {
    const reply = await this.send({ type: 'note', rows });
    if ('newest' in reply) this.newest = reply.newest;
  }

  async ask(text: string): Promise<SqlAnswer> {
    const reply = await this.send({ type: 'ask', text });
    if ('answer' in reply) return reply.answer;
    throw new SqlError('unavailable', 'no answer');
  }

  /** Whose rows these are; those of another device are removed. */
  async own(device: string): Promise<void> {
    const reply = await this.send({ type: 'own', device });
    if ('newest' in reply) this.newest = reply.newest;
  }

  /** Remove the files with all that is in them, and end the worker. */
  async remove(): Promise<void> {
    await this.send({ type: 'remove' });
    this.close();
  }

  close(): void {
    this.worker.terminate();
    this.lost('closed');
  }

  private send(message: Message<ToWorker>): Promise<FromWorker> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.replies.set(id, { resolve, reject });
      this.worker.postMessage({ ...message, id });
    });
  }

  private heard(reply: FromWorker): void {
    const waiting = this.replies.get(reply.id);
    this.replies.delete(reply.id);
    if ('error' in reply) waiting?.reject(new SqlError(reply.error.code, reply.error.message));
    else waiting?.resolve(reply);
  }

  private lost(reason: string): void {
    for (const waiting of this.replies.values()) {
      waiting.reject(new SqlError('unavailable', `the local history stopped: ${reason}`));
    }
    this.replies.clear();
  }
}
