/** cairn-full.wasm as a database: one instance over two files. Runs in the worker, and in tests. The
 * exports are wasm/full/sql_entry.c, the imports wasm/full/vfs.c. */
import type { SyncFile } from './files.js';

/** One event for the table, as the core has encoded it. */
export interface Row {
  seq: number;
  person: number;
  event: Uint8Array;
}

export interface SqlAnswer {
  columns: string[];
  rows: (string | number | null | { bytes: number })[][];
  /** More rows would have followed. */
  cut: boolean;
}

export class SqlError extends Error {
  constructor(
    /** "invalid", "too_long", "too_large", "storage", "no_memory", "unavailable". */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** As cairn_status. */
const CODES: Readonly<Record<number, string>> = {
  1: 'invalid',
  2: 'no_memory',
  3: 'too_large',
  4: 'storage',
  10: 'too_long',
};

interface Exports {
  memory: WebAssembly.Memory;
  _initialize?: () => void;
  alloc(bytes: number): number;
  release(at: number): void;
  sql_open(eventsMax: number, daysMax: number): number;
  sql_own(at: number, bytes: number): number;
  sql_newest(): number;
  sql_note(seq: number, person: number, at: number, bytes: number): number;
  sql_commit(): number;
  sql_ask(at: number, bytes: number, nowMs: number): number;
  sql_answer(): number;
  sql_answer_bytes(): number;
}

const utf8 = new TextEncoder();
const text = new TextDecoder();

export interface EngineOptions {
  eventsMax: number;
  daysMax: number;
  nowMs(): number;
}

export class SqlEngine {
  private wasm!: Exports;

  private constructor(
    private readonly files: readonly [SyncFile, SyncFile],
    private readonly options: EngineOptions,
  ) {}

  /** A database that is damaged is begun anew: every row can be noted again. */
  static async open(
    module: WebAssembly.Module,
    files: readonly [SyncFile, SyncFile],
    options: EngineOptions,
  ): Promise<SqlEngine> {
    const engine = new SqlEngine(files, options);
    try {
      await engine.start(module);
    } catch {
      for (const file of files) file.truncate(0);
      await engine.start(module);
    }
    return engine;
  }

  private async start(module: WebAssembly.Module): Promise<void> {
    const instance = await WebAssembly.instantiate(module, { cairn: this.imports() });
    this.wasm = instance.exports as unknown as Exports;
    this.wasm._initialize?.();
    this.check(this.wasm.sql_open(this.options.eventsMax, this.options.daysMax));
  }

  /** Whose rows these are: those of another device are removed. */
  own(device: string): void {
    this.lay(utf8.encode(device), (at, bytes) => this.check(this.wasm.sql_own(at, bytes)));
  }

  /** The newest row's seq, 0 without one: what follows it is to be noted again. */
  newest(): number {
    return this.wasm.sql_newest();
  }

  /** Note these and make them durable. */
  note(rows: readonly Row[]): void {
    for (const row of rows) {
      this.lay(row.event, (at, bytes) =>
        this.check(this.wasm.sql_note(row.seq, row.person, at, bytes)),
      );
    }
    this.check(this.wasm.sql_commit());
  }

  ask(question: string): SqlAnswer {
    this.lay(utf8.encode(question), (at, bytes) =>
      this.check(this.wasm.sql_ask(at, bytes, this.options.nowMs())),
    );
    return JSON.parse(this.answer()) as SqlAnswer;
  }

  private answer(): string {
    const bytes = this.wasm.sql_answer_bytes();
    return text.decode(new Uint8Array(this.wasm.memory.buffer, this.wasm.sql_answer(), bytes));
  }

  private check(status: number): void {
    if (status !== 0) throw new SqlError(CODES[status] ?? `status ${status}`, this.answer());
  }

  private lay(bytes: Uint8Array, step: (at: number, bytes: number) => void): void {
    const at = this.wasm.alloc(Math.max(bytes.length, 1));
    if (at === 0) throw new SqlError('no_memory', 'no room in linear memory');
    new Uint8Array(this.wasm.memory.buffer, at, bytes.length).set(bytes);
    try {
      step(at, bytes.length);
    } finally {
      this.wasm.release(at);
    }
  }

  private imports(): WebAssembly.ModuleImports {
    const view = (at: number, bytes: number) =>
      new Uint8Array(this.wasm.memory.buffer as ArrayBuffer, at, bytes);
    const file = (number: number): SyncFile => this.files[number as 0 | 1];
    const said = (step: () => number | void): number => {
      try {
        return step() ?? 0;
      } catch {
        return -1; // SQLite says what it could not do, and undoes it
      }
    };
    const core = () => {
      throw new Error('the core does not run here');
    };
    return {
      now_ms: () => this.options.nowMs(),
      file_read: (number: number, at: number, bytes: number, offset: number) =>
        said(() => file(number).read(view(at, bytes), offset)),
      file_write: (number: number, at: number, bytes: number, offset: number) =>
        said(() => file(number).write(view(at, bytes), offset)),
      file_truncate: (number: number, bytes: number) => said(() => file(number).truncate(bytes)),
      file_flush: (number: number) => said(() => file(number).flush()),
      file_size: (number: number) => said(() => file(number).size()),
      ...Object.fromEntries(
        ['mono_ms', 'store_append', 'store_remove', 'store_state', 'http_start', 'emit'].map(
          (name) => [name, core],
        ),
      ),
    };
  }
}
