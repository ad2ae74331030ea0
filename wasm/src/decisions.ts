/** Questions of this tab, answered by the core here or in the tab that has it. */
import {
  browserZone,
  deviceFacts,
  KEYS_MAX,
  missing,
  NO_ANSWER,
  NO_CONSENT,
  noExperiments,
  noPopup,
  noSlot,
  OK,
  questionOf,
  trustedKey,
  UNSUPPORTED,
  type Answered,
  type Ask,
  type AskMethod,
  type TrustedKey,
} from './asks.js';
import type { Call } from './call.js';
import type { Core, CoreHost } from './core.js';
import type {
  DecideQuery,
  Decision,
  DecisionOf,
  Experiment,
  ExperimentDecision,
  Inspection,
  Json,
  Missing,
  PopupDecision,
  Slot,
  SlotDecision,
} from './decide_types.js';
import { isSeen, Popups, type PopupJson, type PopupsHost } from './popups.js';
import { randomName } from './status.js';
import type { TabMessage } from './tabs.js';
import type { InitOptions, Properties, Role } from './types.js';

const ANSWER_MS = 2000;
const PAGE_LENGTH_MAX = 1024;

export interface DecisionsHost extends PopupsHost {
  role(): Role;
  /** The core is here and the inbox is not being taken: a question comes after earlier calls. */
  isIdle(): boolean;
  whenKept(run: () => void): void;
  /** Ask the core; null: it is not here. */
  answer(ask: Ask): Answered | null;
  until(reached: () => boolean, endMs: number): Promise<void>;
  changed(): void;
  problem(code: string, message: string): void;
}

const PROBLEMS: Readonly<Partial<Record<Missing, string>>> = {
  invalid: 'it breaks a limit of the data model: names of 1 to 100 bytes, texts up to 8 KB',
  no_keys: 'init() was given no bundleKeys',
};

export class Decisions {
  readonly popups: Popups;
  readonly trusted: readonly TrustedKey[];
  private pageNow: string;
  /** What the person sees, in whichever tab. */
  private front: string;
  private readonly zone: string;
  private readonly pending = new Map<string, { ask: Ask; give(answered: Answered): void }>();

  constructor(
    private readonly options: InitOptions,
    private readonly host: DecisionsHost,
  ) {
    this.popups = new Popups(host);
    this.trusted = this.trust();
    this.pageNow = typeof location === 'undefined' ? '' : (location.pathname ?? '');
    this.front = this.pageNow;
    this.zone = options.zone ?? browserZone();
  }

  private trust(): TrustedKey[] {
    const keys = this.options.bundleKeys ?? [];
    const good = keys.flatMap((key) => trustedKey(key) ?? []).slice(0, KEYS_MAX);
    if (good.length < keys.length) {
      queueMicrotask(() =>
        this.host.problem(
          'bundle_key_refused',
          'a key is 65 bytes (SEC 1, uncompressed) as bytes, base64 or hexadecimal, with an id of ' +
            `at most 32 characters; at most ${KEYS_MAX} are taken: see GET /v1/bundle/key`,
        ),
      );
    }
    return good;
  }

  /** The call with its tab and page; where nothing is decided it need not carry them. */
  placed(call: Call): Call {
    if (this.trusted.length === 0) return call;
    call.tab = this.host.tab;
    call.page = this.pageNow;
    return call;
  }

  // --- the tabs
  // -------------------------------------------------------------------------------------

  /** This tab's core runs: tell it where the person is. */
  begin(core: Core): void {
    if (this.trusted.length === 0) return;
    const device = { ...deviceFacts(this.zone), ...this.options.device };
    const problem = core.setPlace(this.zone, this.host.plain(device, 'device'));
    if (problem) this.host.problem('device_refused', `device: ${problem}`);
    this.host.say({ type: 'who', id: '' });
  }

  /** Before the core is pumped: popups that waited are judged by what the person sees. */
  facePage(core: Core): void {
    if (this.trusted.length > 0) core.setPage(this.front);
  }

  setPage(page: string): void {
    this.pageNow = String(page).slice(0, PAGE_LENGTH_MAX);
    this.seen();
  }

  /** This tab came to the front, or what is in front has changed. */
  seen(): void {
    if (this.trusted.length === 0 || !isSeen()) return;
    this.front = this.pageNow;
    this.here('');
  }

  private here(id: string): void {
    const { tab } = this.host;
    this.host.say({ type: 'here', id, tab, page: this.pageNow, visible: isSeen() });
  }

  heard(message: TabMessage): void {
    if (message.type === 'who') this.heardWho(message.id);
    else if (message.type === 'ask') void this.heardAsk(message.id, message.ask);
    else if (message.type === 'answer') {
      this.pending.get(message.id)?.give(message.answered);
      this.host.changed();
    } else {
      if (message.type === 'here' && message.visible) this.front = message.page;
      this.popups.heard(message);
    }
  }

  /** id "": another tab has the core from now on, and what was asked of the one before is lost. */
  private heardWho(id: string): void {
    this.here(id);
    if (id !== '') return;
    for (const [id, { ask }] of this.pending) this.host.say({ type: 'ask', id, ask });
  }

  private async heardAsk(id: string, ask: Ask): Promise<void> {
    if (this.host.role() !== 'sender') return;
    await this.host.drained();
    if (this.host.role() !== 'sender') return; // the next one is asked again
    this.host.say({ type: 'answer', id, answered: this.askCore(ask) });
  }

  /** What the core, while in force, says about popups. In a pump it must not be called back. */
  hears(current: () => boolean): Pick<CoreHost, 'popup' | 'popupChosen' | 'popupClosed'> {
    return {
      popupChosen: (name, tab) => this.popups.chosen(name, tab),
      popupClosed: (name) => this.popups.closed(name),
      popup: (json) =>
        queueMicrotask(() => {
          if (current()) void this.popups.show(JSON.parse(json) as PopupJson);
        }),
    };
  }

  // --- asking
  // ---------------------------------------------------------------------------------------

  private askCore(ask: Ask): Answered {
    let answered: Answered = { status: NO_ANSWER, json: '' };
    this.host.guarded(() => (answered = this.host.answer(ask) ?? answered));
    this.host.schedulePump();
    return answered;
  }

  ask(
    method: AskMethod,
    name = '',
    more: { value?: string; properties?: Properties; bytes?: Uint8Array } = {},
  ): Promise<Answered> {
    const properties = this.host.plain(more.properties, name);
    const where = { tab: this.host.tab, page: this.pageNow };
    const ask: Ask = { method, name, value: more.value ?? '', properties, ...where };
    if (more.bytes) ask.bytes = more.bytes;
    if (this.trusted.length === 0 && method !== 'inspect') {
      return Promise.resolve({ status: UNSUPPORTED, json: '' });
    }
    return this.host.isIdle() ? Promise.resolve(this.askCore(ask)) : this.askAnywhere(ask);
  }

  /** Until somebody has answered: the one who was asked may go away, and the next be this tab. */
  private async askAnywhere(ask: Ask): Promise<Answered> {
    const endMs = this.host.clock.monoMs() + (this.options.decideTimeoutMs ?? ANSWER_MS);
    while (this.host.clock.monoMs() < endMs) {
      await this.host.until(() => this.host.role() !== 'starting', endMs);
      const role = this.host.role();
      if (role === 'waiting') return { status: NO_CONSENT, json: '' };
      if (role === 'stopped' || role === 'off') break;
      if (role === 'sender') {
        await this.host.until(() => this.host.isIdle() || this.host.role() !== 'sender', endMs);
        if (this.host.isIdle()) return this.askCore(ask);
      } else if (role === 'follower') {
        const answered = await this.askSender(ask, endMs);
        if (answered) return answered;
      }
    }
    return { status: NO_ANSWER, json: '' };
  }

  private async askSender(ask: Ask, endMs: number): Promise<Answered | null> {
    const id = randomName();
    let answered: Answered | null = null;
    this.pending.set(id, { ask, give: (given) => (answered = given) });
    this.host.whenKept(() => this.host.say({ type: 'ask', id, ask }));
    await this.host.until(() => answered !== null || this.host.role() !== 'follower', endMs);
    this.pending.delete(id);
    return answered;
  }

  private parsed<T>({ status, json }: Answered, of: string, none: (reason: Missing) => T): T {
    if (status === OK) return JSON.parse(json) as T;
    const reason = missing(status);
    const problem = PROBLEMS[reason];
    if (problem) this.host.problem('question_refused', `${of}: ${problem}`);
    return none(reason);
  }

  // --- the calls
  // ------------------------------------------------------------------------------------

  async decide<Q extends DecideQuery>(query: Q): Promise<DecisionOf<Q>> {
    const { method, name, properties = {}, none } = questionOf(query);
    const answered = await this.ask(method, name, { properties });
    return this.parsed<Decision>(answered, 'decide', none) as DecisionOf<Q>;
  }

  async showPopup(name: string): Promise<PopupDecision> {
    return this.parsed(await this.ask('show', String(name)), 'popup.show', noPopup);
  }

  async slot(name: string): Promise<Slot> {
    return this.slotOf(name, await this.ask('slot', String(name)));
  }

  slotOf(name: string, answered: Answered): Slot {
    const none = (reason: Missing): SlotDecision => noSlot(String(name), reason);
    const why = this.parsed<SlotDecision>(answered, 'slot', none);
    return { items: why.items ?? [], source: why.source ?? 'nothing', why };
  }

  async experiment(name: string): Promise<Experiment> {
    const answered = await this.ask('expose', String(name));
    const decision = this.parsed<ExperimentDecision>(answered, 'experiment', noExperiments);
    const found = decision.experiments[0];
    const reason = found?.reason ?? decision.reason ?? 'unavailable';
    return { variant: found?.variant ?? null, value: found?.value ?? null, reason };
  }

  async flag<T extends Json>(name: string, fallback: T): Promise<T> {
    const { value } = await this.experiment(name);
    return (value ?? fallback) as T;
  }

  async experiments(): Promise<ExperimentDecision> {
    return this.parsed(await this.ask('experiments'), 'experiments', noExperiments);
  }

  async inspect(): Promise<Inspection> {
    return this.parsed<Inspection>(await this.ask('inspect'), 'inspect', (reason) => ({ reason }));
  }

  async setBundle(bytes: Uint8Array): Promise<boolean> {
    const { status } = await this.ask('setBundle', '', { bytes });
    if (status === OK) return true;
    const problem = BUNDLE_PROBLEMS[status] ?? missing(status);
    this.host.problem('bundle_refused', `setBundle: ${problem}`);
    return false;
  }
}

const BUNDLE_PROBLEMS: Readonly<Record<number, string>> = {
  1: 'the bundle is damaged',
  2: 'it has no room in the memory of the core',
  11: "it is not signed by one of bundleKeys, another project's, or older than the one in force",
};
