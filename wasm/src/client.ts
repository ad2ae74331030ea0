/** The client: takes calls, keeps them, and runs the core in whichever tab may send. */
import { Api } from './api.js';
import type { Call, Method, Plain } from './call.js';
import { browserClock } from './clock.js';
import { CATEGORIES, Consent, NOTHING } from './consent.js';
import { Core, type CoreHost, type CoreOptions } from './core.js';
import { Decisions, type DecisionsHost } from './decisions.js';
import { Flavour } from './flavour.js';
import { Flushes, type FlushHost } from './flush.js';
import { IdbStore, removeDatabase } from './idb.js';
import { Listeners } from './listeners.js';
import { MemoryStore, type Op, type Store } from './store.js';
import { watchPage, type PageEvents } from './page.js';
import { Privacy } from './privacy.js';
import { NO_STATUS, randomName } from './status.js';
import { stash, unstash } from './stash.js';
import { canShare, isForSender, Tabs, type TabMessage } from './tabs.js';
import { Transport } from './transport.js';
import { Waits } from './waits.js';
import type {
  Cairn,
  Category,
  Clock,
  ConsentChoice,
  ConsentState,
  FlushResult,
  InitOptions,
  Notes,
  Role,
  Status,
} from './types.js';

/** Calls kept in memory before the core is ready, where there is no IndexedDB. */
const EARLY_CALLS_MAX = 1000;
const CORE_STARTS_MAX = 4;
const DRAIN_RETRY_MS = 100;
const FLUSH_MS = 5000;
const STATUS_SHARED_EVERY_MS = 100;
/** As CAIRN_CONSENT_ANALYTICS. */
const ANALYTICS = 1;

export class Client extends Api implements Cairn, PageEvents {
  private readonly listeners = new Listeners();
  private readonly clock: Clock;
  private readonly transport: Transport;
  private readonly name: string;
  private readonly tab = randomName();
  private readonly shares: boolean;
  private readonly consents: Consent;
  private readonly privacy: Privacy;
  /** A database of an earlier page is looked into: its core knows what was said. */
  private probing = false;
  private store: Store;
  private tabs: Tabs | null = null;
  private core: Core | null = null;
  /** Grows whenever a core is let go, so that what was awaited for it stops. */
  private generation = 0;
  private coreStarts = 0;
  private role: Role = 'starting';
  private draining = false;
  private drainAgain = false;
  private pumpTimer: unknown = null;
  private pumpSoon = false;
  private statusSoon = false;
  private statusSaid = '';
  private senderStatus: Status | null = null;
  private shareTimer: unknown = null;
  private readonly flushes: Flushes;
  private readonly waits: Waits;
  protected readonly decisions: Decisions;

  constructor(
    private readonly options: InitOptions,
    private readonly flavour = new Flavour(options),
  ) {
    super();
    this.clock = options.clock ?? browserClock;
    this.waits = new Waits(this.clock);
    const host = this.host();
    this.decisions = new Decisions(options, host);
    this.flushes = new Flushes(host);
    flavour.host = host;
    const fetchNow = options.fetch ?? ((input, init) => fetch(input, init));
    this.transport = new Transport(`${options.serverUrl.replace(/\/+$/, '')}/v1/sync`, fetchNow);
    this.name = `cairn:${options.writeKey}`;
    this.shares = options.storage !== 'memory' && canShare();
    this.consents = new Consent(options, this.shares ? `${this.name}:consent` : '');
    this.privacy = new Privacy(
      options,
      (left) => this.accept(left),
      (refused) => this.problem('call_refused', `${refused.method}: a rule of privacy drops it`),
    );
    this.store = this.mayOpen() ? this.openStore() : this.memory();
  }

  /** Whether anything may be stored; or is, and must go. */
  private mayOpen(): boolean {
    return this.consents.allows('analytics') || this.consents.purging;
  }

  private openStore(): Store {
    if (!this.shares) return this.memory();
    return new IdbStore(this.name, this.tab, {
      failed: (reason, calls) => this.storageFailed(reason, calls),
    });
  }

  // --- life
  // ---------------------------------------------------------------------------------------

  start(): void {
    watchPage(true, this);
    if (this.shares) this.tabs = new Tabs(this.name, (message) => this.heard(message));
    if (this.mayOpen()) this.begin();
    else {
      this.setRole('waiting');
      void this.lookBack();
    }
  }

  private begin(): void {
    if (!this.shares) {
      if (this.options.storage !== 'memory') this.sayMemory('storage_unavailable');
      void this.becomeSender();
      return;
    }
    this.apply();
  }

  private apply(): void {
    this.tabs?.apply(() => void this.becomeSender());
    this.tabs?.say({ type: 'hello' });
  }

  private async becomeSender(): Promise<void> {
    const generation = ++this.generation;
    const current = (): boolean => generation === this.generation;
    this.coreStarts += 1;
    try {
      const module = await this.flavour.loaded(current);
      const held = await this.store.load();
      if (!module || !current()) return;
      const core = await Core.open(module, this.coreHost(current), this.coreOptions());
      if (!current()) return;
      core.restore(held);
      this.core = core;
      this.decisions.begin(core);
      this.setRole('sender');
      this.compareConsent(core);
      if (!current()) return;
      this.unstash();
      await this.drain();
      if (current() && this.consents.purging) this.goOnClosing(core);
      this.coreStarts = 0;
      this.listeners.say('ready', this.getStatus());
    } catch (error) {
      if (current()) this.coreFailed(error);
    }
  }

  private coreHost(current: () => boolean): CoreHost {
    return {
      clock: this.clock,
      submit: (op: Op, done) =>
        this.store.submit(op, (durable) => current() && this.guarded(() => done(durable))),
      post: (body, done) => {
        this.store.whenKept(() => {
          if (!current()) return;
          void this.transport
            .post(body)
            .then((answer) => current() && this.guarded(() => done(answer)));
        });
      },
      ...this.decisions.hears(current),
      purged: () => queueMicrotask(() => current() && this.purged()),
      acked: (ackedSeq) => this.listeners.say('ack', { ackedSeq }),
      refused: (seq, reason) => this.problem('event_refused', `event ${seq}: ${reason}`),
      changed: () => this.schedulePump(),
    };
  }

  /** This client as its parts know it. */
  private host(): DecisionsHost & FlushHost {
    return {
      tab: this.tab,
      lockName: `cairn:${this.options.writeKey}`,
      clock: this.clock,
      listeners: this.listeners,
      shared: () => this.tabs !== null,
      core: () => this.core,
      role: () => this.role,
      getStatus: () => this.getStatus(),
      send: () => {
        this.guarded(() => this.core?.flush());
        this.pump();
      },
      isIdle: () => this.role === 'sender' && this.core !== null && !this.draining,
      answer: (ask) => this.core && this.flavour.answer(this.core, ask),
      drained: async () => {
        await this.drain();
        await this.waits.until(() => !this.draining, this.clock.monoMs() + FLUSH_MS);
      },
      say: (message) => this.tabs?.say(message),
      post: (method, name, properties) => this.post(method, name, '', properties),
      plain: (properties, of) => this.plain(properties, of),
      problem: (code, message) => this.problem(code, message),
      guarded: (step) => this.guarded(step),
      whenKept: (run) => this.store.whenKept(run),
      until: (reached, endMs) => this.waits.until(reached, endMs),
      changed: () => this.changed(),
      schedulePump: () => this.schedulePump(),
    };
  }

  private get stashKey(): string {
    return `${this.name}:left-early`;
  }

  private unstash(): void {
    if (!this.shares || this.consents.purging) return;
    for (const call of unstash(this.stashKey)) this.store.submit({ kind: 'call', call });
    this.store.hurry();
  }

  private letCoreGo(): void {
    this.generation += 1;
    this.core = null;
    this.flavour.left();
    this.decisions.popups.forget();
    this.draining = false;
    if (this.pumpTimer !== null) this.clock.clearTimeout(this.pumpTimer);
    this.pumpTimer = null;
  }

  /** A trap is a bug of ours: the instance is thrown away, what the store holds is not. */
  private coreFailed(error: unknown): void {
    this.letCoreGo();
    this.problem('core_failed', `the core stopped: ${String(error)}`);
    if (this.coreStarts < CORE_STARTS_MAX) {
      void this.becomeSender();
      return;
    }
    this.tabs?.resign();
    this.setRole('stopped');
  }

  private memory(): Store {
    return new MemoryStore(EARLY_CALLS_MAX, () =>
      this.problem('call_dropped', 'more calls than can be kept before the core is ready'),
    );
  }

  private sayMemory(code: string): void {
    this.problem(
      code,
      'nothing can be kept in this browser (private window, storage refused or full, or no Web ' +
        'Locks): events live as long as this page, under a device id of their own',
    );
  }

  /** The database is of no use any more. What it holds stays for another day under its device; the
   * rest of this page's life is a private device in memory, so that no sequence number is given
   * twice. */
  private storageFailed(reason: string, calls: Call[]): void {
    this.sayMemory(reason);
    this.letCoreGo();
    this.tabs?.close();
    this.tabs = null;
    this.store = this.memory();
    for (const call of calls) this.store.submit({ kind: 'call', call });
    this.setRole('starting');
    void this.becomeSender();
  }

  async shutdown(): Promise<void> {
    this.lastGasp();
    watchPage(false, this);
    this.letCoreGo();
    this.store.close();
    this.transport.close();
    this.tabs?.close();
    this.setRole('stopped');
  }

  // --- the page
  // -----------------------------------------------------------------------------------

  readonly onVisibility = (): void => {
    this.decisions.seen();
    if (document.visibilityState === 'hidden') this.lastGasp();
    else this.schedulePump();
  };

  /** The page may be kept frozen or die: in both cases another tab shall send. */
  readonly onPageHide = (): void => {
    if (this.role === 'waiting') return;
    this.lastGasp();
    this.decisions.popups.left();
    if (!this.tabs) return;
    if (!this.consents.purging) stash(this.stashKey, this.store.takeEarly());
    this.letCoreGo();
    this.tabs.resign();
    this.coreStarts = 0;
    this.setRole('starting');
  };

  readonly onPageShow = (event: PageTransitionEvent): void => {
    if (!event.persisted || this.role === 'stopped') return;
    this.consents.reload();
    if (!this.mayOpen()) this.wait();
    else if (this.role === 'waiting') this.open(null);
    else this.apply();
  };

  readonly onNetwork = (): void => {
    if (navigator.onLine) this.guarded(() => this.core?.flush());
    this.changed();
    this.schedulePump();
  };

  private lastGasp(): void {
    this.store.hurry();
    if (this.consents.purging) return;
    this.guarded(() => {
      const body = this.core?.lastGasp();
      if (body) this.transport.lastGasp(body);
    });
  }

  // --- tabs
  // ---------------------------------------------------------------------------------------

  private heard(message: TabMessage): void {
    if (message.type === 'status') {
      this.senderStatus = message.status as Status;
      if (this.role === 'starting' && !this.core) {
        this.setRole('follower');
        this.listeners.say('ready', this.getStatus());
      }
      this.changed();
    } else if (message.type === 'consent') {
      this.chosen(message.said, message.call, false);
    } else if (message.type === 'purged') {
      if (this.consents.purging) this.closed();
    } else if (message.type === 'flushed') {
      this.flushes.answered(message.id, message.ok);
      this.changed();
    } else if (this.role === 'sender' && isForSender(message)) {
      this.heardAsSender(message);
    } else if (message.type === 'more') {
      this.flavour.heard(message.more);
    } else {
      this.decisions.heard(message);
    }
  }

  private heardAsSender(message: TabMessage): void {
    if (message.type === 'wake') void this.drain();
    else if (message.type === 'hello') this.shareStatus();
    else if (message.type === 'flush') {
      void this.flushes.here(message.timeoutMs).then((ok) =>
        this.tabs?.say({ type: 'flushed', id: message.id, ok }),
      );
    }
  }

  private shareStatus(): void {
    if (!this.tabs || this.shareTimer !== null) return;
    this.shareTimer = this.clock.setTimeout(() => {
      this.shareTimer = null;
      if (this.role === 'sender') this.tabs?.say({ type: 'status', status: this.getStatus() });
    }, STATUS_SHARED_EVERY_MS);
  }

  // --- calls
  // --------------------------------------------------------------------------------------

  private callOf(method: Method, name: string, value: string, properties: Plain): Call {
    const timeMs = this.clock.nowMs();
    const call: Call = { method, name, value, properties, timeMs, monoMs: this.clock.monoMs() };
    return this.decisions.placed(call);
  }

  protected post(method: Method, name: string, value: string, properties: Plain): void {
    if (this.role === 'stopped') return;
    const call = this.callOf(method, name, value, properties);
    this.privacy.apply(call);
    this.listeners.say('call', { method, name, properties, timeMs: call.timeMs });
  }

  private accept(call: Call): void {
    if (this.role === 'stopped') return;
    if (this.role === 'waiting' || this.consents.purging || this.probing) {
      this.consents.hold(call);
    } else if (this.role === 'sender' && this.core && !this.draining) {
      this.store.origin(call);
      this.guarded(() => this.run(call));
      this.schedulePump();
    } else {
      this.drainAgain = true;
      this.store.submit({ kind: 'call', call }, () => this.kept());
    }
  }

  private kept(): void {
    if (this.role === 'sender') void this.drain();
    else this.tabs?.say({ type: 'wake' });
  }

  private run(call: Call): void {
    const problem = this.core?.run(call);
    if (problem) this.problem('call_refused', `${call.method}("${call.name}"): ${problem}`);
  }

  /** Take the inbox, of this tab and the others, until it is empty. */
  private async drain(): Promise<void> {
    this.drainAgain = true;
    if (this.draining || !this.core) return;
    this.draining = true;
    const generation = this.generation;
    let taken = 0;
    do {
      this.drainAgain = false;
      taken = await this.store.drain((call) => this.run(call));
    } while (generation === this.generation && taken >= 0 && (taken > 0 || this.drainAgain));
    if (generation !== this.generation) return;
    this.draining = false;
    if (taken < 0) this.clock.setTimeout(() => void this.drain(), DRAIN_RETRY_MS);
    this.schedulePump();
  }

  private guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.coreFailed(error);
    }
  }

  // --- consent
  // ------------------------------------------------------------------------------------

  /** Analytics is this side's: the core is only opened where it is allowed, or must go. */
  private coreOptions(): CoreOptions {
    const denied = this.consents.bits('denied') & ~ANALYTICS;
    const required = this.consents.bits('required');
    return {
      ...this.options,
      trusted: this.decisions.trusted,
      ...this.flavour.core,
      requiredBits: this.probing ? required | ANALYTICS : required & ~ANALYTICS,
      deniedBits: this.consents.purging ? denied | ANALYTICS : denied,
    };
  }

  consent(choice: ConsentChoice): void {
    if (this.role === 'stopped') return;
    const named = CATEGORIES.filter((category) => typeof choice[category] === 'boolean');
    const properties = Object.fromEntries(named.map((name) => [name, choice[name]])) as Plain;
    const said = this.consents.after(choice);
    const { source = '', textVersion = '' } = choice;
    const call = this.callOf('consent', String(source), String(textVersion), properties);
    if (named.length > 0) this.choose(said, call);
  }

  erase(): void {
    if (this.role !== 'stopped') this.choose(NOTHING, this.callOf('erase', '', '', {}));
  }

  consentState(): ConsentState {
    return { ...this.consents.said };
  }

  allows(category: Category): boolean {
    return this.consents.allows(category);
  }

  private choose(said: ConsentState, call: Call): void {
    this.chosen(said, call, true);
    this.tabs?.say({ type: 'consent', said, call });
  }

  /** Somebody has chosen, in this tab (own) or in another, which then writes the call. */
  private chosen(said: ConsentState, call: Call, own: boolean): void {
    const removes = call.method === 'erase' || call.properties['analytics'] === false;
    if (this.role === 'waiting') {
      this.consents.say(said, false);
      if (call.method === 'erase') this.consents.take();
      if (this.consents.allows('analytics') && !removes) this.open(own ? call : null);
      else if (!removes && own) this.consents.hold(call);
      else if (removes && this.shares) void this.forgetAll();
    } else if (removes) {
      this.remove(said, call, own);
    } else {
      this.consents.say(said, this.consents.purging);
      if (this.consents.allows('analytics')) this.letIn();
      if (own) this.write(call);
    }
    this.listeners.say('consent', this.consentState());
  }

  /** Calls that were held, and the choice that lets them in, are kept and sent from here on. */
  private open(choice: Call | null): void {
    this.store = this.openStore();
    for (const call of this.consents.take()) this.store.submit({ kind: 'call', call });
    if (choice) this.store.submit({ kind: 'call', call: choice });
    this.setRole('starting');
    this.begin();
  }

  /** What waits in the inbox is forgotten by the same transaction that keeps the choice. */
  private remove(said: ConsentState, call: Call, own: boolean): void {
    this.probing = false;
    this.consents.say(said, true);
    if (call.method === 'erase') {
      this.consents.take();
      if (this.consents.allows('analytics')) this.consents.done(); // a new device goes on at once
    }
    unstash(this.stashKey);
    if (own) this.store.submit({ kind: 'forget' });
    if (own || this.role === 'sender') this.write(call);
  }

  /** To the core at once where it is here, also while the inbox is being drained. */
  private write(call: Call): void {
    if (this.role === 'sender' && this.core) {
      this.guarded(() => this.run(call));
      this.schedulePump();
    } else {
      this.drainAgain = true;
      this.store.submit({ kind: 'call', call }, () => this.kept());
    }
  }

  /** A killed browser may have lost the line in localStorage, but not the database. */
  private async lookBack(): Promise<void> {
    if (!this.shares || typeof indexedDB.databases !== 'function') return;
    const all = await indexedDB.databases().catch(() => []);
    if (this.role !== 'waiting' || !all.some(({ name }) => name === this.name)) return;
    this.probing = true;
    this.store = this.openStore();
    this.setRole('starting');
    this.begin();
  }

  /** What was held while the database was looked into. */
  private letIn(): void {
    if (!this.probing) return;
    this.probing = false;
    for (const call of this.consents.take()) this.accept(call);
  }

  /** The core's state lasts; the line in localStorage may have been lost with a killed browser. */
  private compareConsent(core: Core): void {
    const { said, purging } = core.consent();
    const denied = said.analytics === 'denied' && this.consents.said.analytics !== 'granted';
    if (purging || denied) {
      this.probing = false;
      this.consents.say(said, true);
      return;
    }
    this.consents.adopt(said);
    if (!this.consents.allows('analytics')) return this.wait(); // of before consent was asked
    if (!this.probing) return;
    this.letIn();
    const call = this.callOf('consent', '', '', {});
    this.tabs?.say({ type: 'consent', said: this.consentState(), call });
  }

  /** A purge that an earlier page has begun: the core goes on with it, or is told again. */
  private goOnClosing(core: Core): void {
    if (this.consents.allows('analytics')) return;
    if (!core.consent().purging) {
      this.guarded(() => this.run(this.callOf('consent', '', '', { analytics: false })));
    }
    if (this.core === core && !core.consent().purging) void this.remnants();
    this.schedulePump();
  }

  /** The last first: whoever finds the database goes on with the rest. */
  private async forgetAll(): Promise<void> {
    await this.flavour.forget();
    await removeDatabase(this.name);
  }

  private purged(): void {
    if (!this.consents.purging) {
      void this.flavour.forget(); // an erasure: the core goes on as a new device
      return;
    }
    if (this.consents.allows('analytics')) this.closed();
    else void this.remnants();
  }

  /** The core holds nothing of the person any more: the database goes, too. */
  private async remnants(): Promise<void> {
    this.wait();
    if (this.shares) await this.forgetAll();
    this.consents.done();
    this.tabs?.say({ type: 'purged' });
  }

  private wait(): void {
    this.probing = false;
    this.letCoreGo();
    this.store.close();
    this.store = this.memory();
    this.tabs?.resign();
    this.setRole('waiting');
  }

  /** Nothing is stored any more, here or by the tab that sends. */
  private closed(): void {
    this.consents.done();
    if (!this.consents.allows('analytics')) {
      this.wait();
      return;
    }
    if (this.role === 'sender') this.tabs?.say({ type: 'purged' });
    for (const call of this.consents.take()) this.accept(call);
  }

  // --- driving the core
  // ---------------------------------------------------------------------------

  private schedulePump(): void {
    this.changed();
    if (this.pumpSoon) return;
    this.pumpSoon = true;
    queueMicrotask(() => {
      this.pumpSoon = false;
      this.pump();
    });
  }

  private pump(): void {
    if (!this.core) return;
    if (this.pumpTimer !== null) this.clock.clearTimeout(this.pumpTimer);
    this.pumpTimer = null;
    this.guarded(() => {
      if (this.core) this.decisions.facePage(this.core);
      const waitMs = this.core?.pump() ?? -1;
      if (waitMs >= 0) this.pumpTimer = this.clock.setTimeout(() => this.pump(), waitMs);
      if (this.core && this.role === 'sender') this.flavour.pumped(this.core);
    });
    this.changed();
  }

  // --- status and notes
  // ---------------------------------------------------------------------------

  private setRole(role: Role): void {
    this.role = role;
    this.changed();
  }

  private changed(): void {
    if (this.statusSoon) return;
    this.statusSoon = true;
    queueMicrotask(() => {
      this.statusSoon = false;
      this.waits.look();
      const status = this.getStatus();
      const said = JSON.stringify(status);
      if (said === this.statusSaid) return;
      this.statusSaid = said;
      this.listeners.say('status', status);
      if (this.role === 'sender') this.shareStatus();
    });
  }

  protected problem(code: string, message: string): void {
    this.listeners.say('problem', { code, message });
  }

  getStatus(): Status {
    const online = typeof navigator === 'undefined' || navigator.onLine !== false;
    const own = { role: this.role, storage: this.store.kind, online };
    if (this.core) return { ...NO_STATUS, ...this.core.status(), ...own };
    return { ...NO_STATUS, ...this.senderStatus, ...own };
  }

  on<K extends keyof Notes>(note: K, listener: (value: Notes[K]) => void): () => void {
    const remove = this.listeners.add(note, listener);
    if (note === 'popup') queueMicrotask(() => this.decisions.popups.next());
    return remove;
  }

  async flush(options?: { timeoutMs?: number }): Promise<FlushResult> {
    const timeoutMs = options?.timeoutMs ?? FLUSH_MS;
    const ok = await this.flushes.anywhere(timeoutMs);
    return { ok, status: this.getStatus() };
  }
}
