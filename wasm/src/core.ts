/** cairn.wasm and what it imports. One instance is one life of the core; after a trap it is thrown
 * away. Memory is fixed, so views of it never go stale. The ABI is wasm/entry.c. */
import { NO_ANSWER, NOT_FOUND } from './asks.js';
import type { Answered, Ask, RankMethod, TrustedKey } from './asks.js';
import { blockBytesMax, writeBlock } from './block.js';
import type { Arguments, Call, Method, Plain } from './call.js';
import type { Done, Held, Op } from './store.js';
import type { Answer } from './transport.js';
import { CATEGORIES, SAID } from './consent.js';
import type { Clock, ConsentState, InitOptions, Status } from './types.js';

export const ABI_VERSION = 2;
const SEED_BYTES = 32;
const FLUSH_INTERVAL_MS = 2000;
const QUEUE_EVENTS_MAX = 10_000;
const QUEUE_BYTES_MAX = 1024 * 1024;
const utf8 = new TextEncoder();
const text = new TextDecoder();

/** What the core asks of its surroundings; nothing here waits. */
export interface CoreHost {
  clock: Clock;
  submit(op: Op, done: Done): void;
  post(body: Uint8Array<ArrayBuffer>, done: (answer: Answer) => void): void;
  acked(ackedSeq: number): void;
  refused(seq: number, reason: string): void;
  /** A purge has ended: the store holds nothing of the person. */
  purged(): void;
  /** The popup was chosen by what this tab did ("": by none); it is shown later, or waits. */
  popupChosen(name: string, tab: string): void;
  /** The popup is to be shown now: its JSON. It is counted, and that is durable. */
  popup(json: string): void;
  /** What the person did with a popup has reached the core: it is closed, or was not open. */
  popupClosed(name: string): void;
  /** Something was completed: pump soon. */
  changed(): void;
}

interface Exports {
  memory: WebAssembly.Memory;
  _initialize?: () => void;
  abi_version(): number;
  alloc(bytes: number): number;
  release(at: number): void;
  trust(id: number, idBytes: number, key: number, bytes: number): number;
  ask(method: number, block: number, bytes: number): number;
  set_bundle(at: number, bytes: number): number;
  exchange_bytes(): number;
  init(options: number, bytes: number, seed: number, seedBytes: number): number;
  restore(space: number, number: number, at: number, bytes: number): number;
  start(): number;
  consent(): number;
  call(method: number, block: number, bytes: number): number;
  flush(): void;
  pump(): number;
  last_gasp(): number;
  exchange(): number;
  io_done(ticket: number, ok: number): void;
  http_done(ticket: number, status: number, retryAfterMs: number, at: number, bytes: number): void;
  status(): number;
}

/** As enum ask_method in wasm/entry.c: questions, and what becomes of the answers. */
const ASKS: Readonly<Record<Exclude<Ask['method'], 'setBundle' | RankMethod>, number>> = {
  event: 0,
  popup: 1,
  slot: 2,
  experiment: 3,
  experiments: 4,
  show: 5,
  expose: 8,
  inspect: 14,
};
const ACTS = { popupClick: 6, popupClose: 7, slotShown: 9, slotClicked: 10 } as const;
const PAGE = 11;
const ZONE = 12;
const DEVICE = 13;
const GONE = 15;

/** A popup that outlived the core that showed it: its events are tracked by their names. */
const POPUP_EVENTS: Readonly<Partial<Record<Method, string>>> = {
  popupClick: '$popup_click',
  popupClose: '$popup_close',
};

/** As enum call_method in wasm/entry.c. */
const METHODS: Readonly<Record<Exclude<Method, keyof typeof ACTS>, number>> = {
  track: 0,
  timerStart: 1,
  timerPause: 2,
  timerResume: 3,
  timerEnd: 4,
  register: 5,
  registerOnce: 6,
  unregister: 7,
  login: 8,
  logout: 9,
  bind: 10,
  unbind: 11,
  profileSet: 12,
  profileSetOnce: 13,
  profileIncrement: 14,
  profileAppend: 15,
  profileUnset: 16,
  consent: 17,
  erase: 18,
};

/** As cairn_status: what a refused call is told. */
const PROBLEMS: Readonly<Record<number, string>> = {
  1: 'breaks a limit of the data model: names of 1 to 100 bytes, texts up to 8 KB, 256 properties',
  2: 'the memory limit of the core is reached',
  3: 'a list that is bounded has no room left',
  6: 'there is no such thing',
  8: 'the person has not agreed',
  9: 'init() was given no bundleKeys',
  11: 'a rule of privacy leaves nothing of it',
};

/** As struct call_status in wasm/entry.c. */
const STATUS_NUMBERS = [
  'queuedEvents',
  'queuedBytes',
  'lastSeq',
  'ackedSeq',
  'droppedEvents',
  'rejectedEvents',
  'retryInMs',
] as const;
const STATUS_DEVICE_AT = STATUS_NUMBERS.length * 8;
const STATUS_LOGIN_AT = STATUS_DEVICE_AT + 16;

const NO_MEMORY = 2;

/** As the records of the storage seam. */
const SPACE_LOG = 0;
const SPACE_STATE = 1;
const BUNDLE_SLOT_FIRST = 2;

const EMIT_ACKED = 1;
const EMIT_REFUSED = 2;
const EMIT_PURGED = 3;
const EMIT_POPUP = 4;
const EMIT_POPUP_CHOSEN = 5;

/** As the bits of cairn_consent.h. */
const OPTION_SILENT = 2;


export interface CoreOptions extends InitOptions {
  /** Categories as bits of cairn_consent.h: before a choice not allowed, or as denied. */
  requiredBits?: number;
  deniedBits?: number;
  trusted?: readonly TrustedKey[];
  /** More OPTION_... bits of wasm/entry.c. */
  flags?: number;
  /** What a flavour's file imports beside. */
  imports?: WebAssembly.ModuleImports;
}

export interface CoreConsent {
  said: ConsentState;
  purging: boolean;
}

export type CoreStatus = Pick<Status, (typeof STATUS_NUMBERS)[number] | 'deviceId' | 'loginId'>;

export class Core {
  /** While an older call is run, the core's clock says when it was made. */
  private callTime: Call | null = null;
  /** The tab whose question is being answered. */
  private asking = '';
  private lastMonoMs = 0;
  /** The page that the core knows of. */
  private page = '';
  private chunkIndex = 0;
  private wasm!: Exports;

  private constructor(private readonly host: CoreHost) {}

  /** For what a flavour's file has beside. */
  get exports(): unknown {
    return this.wasm;
  }

  static async open(
    module: WebAssembly.Module,
    host: CoreHost,
    options: CoreOptions,
  ): Promise<Core> {
    const core = new Core(host);
    const cairn = { ...core.imports(), ...options.imports };
    const instance = await WebAssembly.instantiate(module, { cairn });
    core.wasm = instance.exports as unknown as Exports;
    core.wasm._initialize?.();
    if (core.wasm.abi_version() !== ABI_VERSION) {
      throw new Error(
        `cairn.wasm speaks ABI ${core.wasm.abi_version()}, this package ${ABI_VERSION}: serve ` +
          `the file of the same version`,
      );
    }
    core.init(options);
    return core;
  }

  private init(options: CoreOptions): void {
    for (const { id, bytes } of options.trusted ?? []) {
      this.lay(utf8.encode(id), (at, length) =>
        this.lay(bytes, (keyAt) => this.wasm.trust(at, length, keyAt, bytes.length)),
      );
    }
    const text = utf8.encode(options.writeKey);
    const block = new Uint8Array(28 + text.length);
    const view = new DataView(block.buffer);
    view.setUint32(0, options.flushIntervalMs ?? FLUSH_INTERVAL_MS, true);
    view.setUint32(4, options.queueEventsMax ?? QUEUE_EVENTS_MAX, true);
    view.setUint32(8, options.queueBytesMax ?? QUEUE_BYTES_MAX, true);
    view.setUint32(12, options.requiredBits ?? 0, true);
    view.setUint32(16, options.deniedBits ?? 0, true);
    const silent = options.consent?.withdrawSilently ? OPTION_SILENT : 0;
    view.setUint32(20, silent | (options.flags ?? 0), true);
    view.setUint32(24, text.length, true);
    block.set(text, 28);
    const seed = crypto.getRandomValues(new Uint8Array(SEED_BYTES));
    const status = this.lay(block, (at) =>
      this.lay(seed, (seedAt) => this.wasm.init(at, block.length, seedAt, seed.length)),
    );
    if (status !== 0) throw new Error(`init was refused: ${PROBLEMS[status] ?? status}`);
  }

  /** Hand back what the store held, then begin. */
  restore(held: Held): void {
    for (const state of held.states) {
      // a bundle that has no room is as one that was lost: it comes again
      this.lay(
        state.bytes,
        (at, bytes) => this.wasm.restore(SPACE_STATE, state.slot, at, bytes),
        state.slot >= BUNDLE_SLOT_FIRST,
      );
    }
    for (const chunk of held.chunks) {
      this.lay(chunk.bytes, (at, bytes) => this.wasm.restore(SPACE_LOG, chunk.segment, at, bytes));
      this.chunkIndex = Math.max(this.chunkIndex, chunk.index + 1);
    }
    const status = this.wasm.start();
    if (status !== 0) throw new Error(`start was refused: ${PROBLEMS[status] ?? status}`);
  }

  /** Run one call; null, or what is wrong with it. */
  run(call: Call): string | null {
    this.callTime = call;
    try {
      if (call.page !== undefined) this.setPage(call.page);
      const status = this.runNow(call);
      return status === 0 ? null : (PROBLEMS[status] ?? `status ${status}`);
    } finally {
      this.callTime = null;
    }
  }

  private runNow(call: Call): number {
    if (!(call.method in ACTS)) {
      const method = METHODS[call.method as keyof typeof METHODS];
      return this.withBlock(call, (at, bytes) => this.wasm.call(method, at, bytes));
    }
    const status = this.give(ACTS[call.method as keyof typeof ACTS], call);
    const name = POPUP_EVENTS[call.method];
    if (call.method === 'popupClose') this.host.popupClosed(call.name);
    if (status !== NOT_FOUND || name === undefined) return status;
    const event = { ...call, name };
    return this.withBlock(event, (at, bytes) => this.wasm.call(METHODS.track, at, bytes));
  }

  // --- decisions
  // ------------------------------------------------------------------------------------

  ask(ask: Ask): Answered {
    if (ask.method === 'setBundle') return { status: this.setBundle(ask.bytes), json: '' };
    const method: number | undefined = ASKS[ask.method as keyof typeof ASKS];
    if (method === undefined) return { status: NO_ANSWER, json: '' }; // another flavour's tab asks
    return this.answer(ask, (at, bytes) => this.wasm.ask(method, at, bytes));
  }

  /** The answer of one of the exports that take a block. */
  answer(ask: Ask, step: (at: number, bytes: number) => number): Answered {
    this.asking = ask.tab;
    try {
      this.setPage(ask.page);
      const status = this.withBlock(ask, step);
      const bytes = status === 0 ? this.wasm.exchange_bytes() : 0;
      return { status, json: text.decode(this.copy(this.wasm.exchange(), bytes)) };
    } finally {
      this.asking = '';
    }
  }

  private setBundle(bytes: Uint8Array | undefined): number {
    if (!bytes) return NO_ANSWER;
    return this.lay(bytes, (at, length) => this.wasm.set_bundle(at, length), true);
  }

  /** Where the person is: what later calls are judged by that do not say it themselves. */
  setPage(page: string): void {
    if (page === this.page) return;
    this.page = page;
    this.give(PAGE, { name: '', value: page, properties: {} });
  }

  /** The zone may be unknown before the first bundle: the core asks again. */
  setPlace(zone: string, device: Plain): string | null {
    this.give(ZONE, { name: zone, value: '', properties: {} });
    const status = this.give(DEVICE, { name: '', value: '', properties: device });
    return status === 0 ? null : (PROBLEMS[status] ?? `status ${status}`);
  }

  /** The popup's screen went away with it: the next may come. */
  popupGone(name: string): void {
    this.give(GONE, { name, value: '', properties: {} });
  }

  private give(ask: number, args: Arguments): number {
    return this.withBlock(args, (at, bytes) => this.wasm.ask(ask, at, bytes));
  }

  private withBlock(args: Arguments, step: (at: number, bytes: number) => number): number {
    const at = this.wasm.alloc(blockBytesMax(args));
    if (at === 0) return NO_MEMORY;
    try {
      return step(at, writeBlock(this.wasm.memory.buffer, at, args));
    } finally {
      this.wasm.release(at);
    }
  }

  consent(): CoreConsent {
    const word = this.wasm.consent();
    const said = Object.fromEntries(
      CATEGORIES.map((category, i) => [category, SAID[(word >> (2 * i)) & 3] ?? 'unknown']),
    ) as unknown as ConsentState;
    return { said, purging: (word & 512) !== 0 };
  }

  flush(): void {
    this.wasm.flush();
  }

  /** Do what is due; the wait until the next time, or -1 when nothing is. */
  pump(): number {
    return this.wasm.pump();
  }

  /** The last batch of a page that goes, or null when nothing waits. */
  lastGasp(): Uint8Array<ArrayBuffer> | null {
    const bytes = this.wasm.last_gasp();
    return bytes === 0 ? null : this.copy(this.wasm.exchange(), bytes);
  }

  status(): CoreStatus {
    const at = this.wasm.status();
    const view = new DataView(this.wasm.memory.buffer, at);
    const numbers = STATUS_NUMBERS.map((name, i) => [name, view.getFloat64(i * 8, true)]);
    const device = this.copy(at + STATUS_DEVICE_AT, 16);
    const login = this.copy(at + STATUS_LOGIN_AT + 4, view.getUint32(STATUS_LOGIN_AT, true));
    return {
      ...(Object.fromEntries(numbers) as Record<(typeof STATUS_NUMBERS)[number], number>),
      deviceId: device.every((byte) => byte === 0) ? '' : hex(device),
      loginId: text.decode(login),
    };
  }

  // --- what the core imports
  // ------------------------------------------------------------------------

  private imports(): WebAssembly.ModuleImports {
    return {
      now_ms: () => this.callTime?.timeMs ?? this.host.clock.nowMs(),
      mono_ms: () => this.monoMs(),
      // tickets and numbers are unsigned: those of the device's own log begin at 2^31
      store_append: (ticket: number, segment: number, at: number, bytes: number) =>
        this.submit(ticket >>> 0, {
          kind: 'append',
          segment: segment >>> 0,
          index: this.chunkIndex++,
          bytes: this.copy(at, bytes),
        }),
      store_remove: (ticket: number, segment: number) =>
        this.submit(ticket >>> 0, { kind: 'remove', segment: segment >>> 0 }),
      store_state: (ticket: number, slot: number, at: number, bytes: number) =>
        this.submit(ticket >>> 0, { kind: 'state', slot: slot >>> 0, bytes: this.copy(at, bytes) }),
      http_start: (ticket: number, at: number, bytes: number) => {
        this.host.post(this.copy(at, bytes), (answer) => this.answered(ticket, answer));
      },
      emit: (kind: number, seq: number, at: number, bytes: number) => {
        if (kind === EMIT_ACKED) return this.host.acked(seq);
        if (kind === EMIT_PURGED) return this.host.purged();
        const said = text.decode(this.copy(at, bytes));
        if (kind === EMIT_POPUP) this.host.popup(said);
        else if (kind === EMIT_POPUP_CHOSEN)
          this.host.popupChosen(said, this.callTime?.tab ?? this.asking);
        else if (kind === EMIT_REFUSED) this.host.refused(seq, said);
      },
    };
  }

  /** Never runs backwards, whatever the order in which calls of several tabs are run. */
  private monoMs(): number {
    this.lastMonoMs = Math.max(this.lastMonoMs, this.callTime?.monoMs ?? this.host.clock.monoMs());
    return this.lastMonoMs;
  }

  private submit(ticket: number, op: Op): void {
    this.host.submit(op, (durable) => {
      this.wasm.io_done(ticket, durable ? 1 : 0);
      this.host.changed();
    });
  }

  /** An answer without room (a bundle beyond what this memory holds) is as none. */
  private answered(ticket: number, answer: Answer): void {
    const { status, retryAfterMs, body } = answer;
    const done = this.lay(
      body,
      (at, bytes) => (this.wasm.http_done(ticket, status, retryAfterMs, at, bytes), 0),
      true,
    );
    if (done === NO_MEMORY) this.wasm.http_done(ticket, 0, 0, 0, 0);
    this.host.changed();
  }

  // --- linear memory
  // --------------------------------------------------------------------------------

  private copy(at: number, bytes: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.wasm.memory.buffer as ArrayBuffer, at, bytes).slice();
  }

  /** Lay bytes into linear memory for the time of one step. Where they have no room: NO_MEMORY if
   * that may be, else a bug of ours. */
  private lay(
    bytes: Uint8Array,
    step: (at: number, bytes: number) => number,
    mayFail = false,
  ): number {
    const at = this.wasm.alloc(Math.max(bytes.length, 1));
    if (at === 0 && mayFail) return NO_MEMORY;
    if (at === 0) throw new Error(`no room in linear memory for ${bytes.length} bytes`);
    new Uint8Array(this.wasm.memory.buffer, at, bytes.length).set(bytes);
    try {
      return step(at, bytes.length);
    } finally {
      this.wasm.release(at);
    }
  }
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
