/** From the core to one screen. The tab that sends has decided and counted the popup; the person may
 * be looking at another. It asks the tabs who is seen and hands the popup to one of them, which says
 * that it has it and holds a Web Lock as long as it shows it: however that tab dies, the sender gets
 * the lock then, and the next popup may come. A popup that nobody took is not given to a second tab:
 * one too few, never one too many. What a new sender does not know is that a tab shows one still:
 * another that comes to the same tab waits there until it is closed. */
import type { Core } from './core.js';
import type { Json, ShownPopup } from './decide_types.js';
import type { Listeners } from './listeners.js';
import { randomName } from './status.js';
import type { Plain } from './call.js';
import type { TabMessage } from './tabs.js';
import type { Clock, Properties } from './types.js';

const WHO_MS = 300;
const TAKEN_MS = 1000;
/** Popups that wait in the core, and whose tab is remembered. */
const ORIGINS_MAX = 64;
/** Popups that wait in this tab for a listener, or for the one before to be closed. */
const HELD_MAX = 8;

/** As listener.popup of cairn_platform.h. */
export interface PopupJson {
  popup: string;
  version: number;
  variant: string;
  groups?: string[];
  template: string;
  content: Json;
}

export interface PopupsHost {
  readonly tab: string;
  readonly lockName: string;
  readonly clock: Clock;
  readonly listeners: Listeners;
  /** Whether there may be other tabs. */
  shared(): boolean;
  /** The core, if this tab has it. */
  core(): Core | null;
  drained(): Promise<void>;
  say(message: TabMessage): void;
  post(method: 'popupClick' | 'popupClose', name: string, properties: Plain): void;
  plain(properties: Properties | undefined, of: string): Plain;
  guarded(step: () => void): void;
  schedulePump(): void;
}

interface Here {
  tab: string;
  visible: boolean;
}

export const isSeen = (): boolean =>
  typeof document === 'undefined' || document.visibilityState === 'visible';

export class Popups {
  // of the sender
  private readonly origins = new Map<string, string>();
  private open: { id: string; name: string } | null = null;
  private asked: { id: string; heard(here: Here): void } | null = null;
  private given: { id: string; taken(): void } | null = null;
  // of every tab
  private showing = false;
  private held: { id: string; popup: PopupJson }[] = [];
  private readonly locks = new Map<string, () => void>();

  constructor(private readonly host: PopupsHost) {}

  // --- the tab that sends
  // ---------------------------------------------------------------------------

  chosen(name: string, tab: string): void {
    if (!tab) return;
    if (this.origins.size >= ORIGINS_MAX) this.origins.clear();
    this.origins.set(name, tab);
  }

  async show(popup: PopupJson): Promise<void> {
    const id = randomName();
    const origin = this.origins.get(popup.popup) ?? '';
    this.origins.delete(popup.popup);
    this.open = { id, name: popup.popup };
    const to = await this.choose(id, origin);
    if (to === this.host.tab) return this.take(id, popup);
    this.host.say({ type: 'popup', to, id, popup });
    if (await this.isTaken(id)) this.watch(id);
    else void this.gone(id);
  }

  /** The tab that brought it if it is seen, else one that is seen, else this one. */
  private choose(id: string, origin: string): Promise<string> {
    const own = this.host.tab;
    const seen = isSeen();
    if (!this.host.shared() || (seen && (origin === own || origin === ''))) {
      return Promise.resolve(own);
    }
    return new Promise((resolve) => {
      let other: string | null = seen ? own : null;
      let settled = origin === own || origin === ''; // nothing is to be heard of it
      const finish = (to: string): void => {
        this.asked = null;
        this.host.clock.clearTimeout(timer);
        resolve(to);
      };
      const timer = this.host.clock.setTimeout(() => finish(other ?? own), WHO_MS);
      this.asked = {
        id,
        heard: ({ tab, visible }) => {
          if (tab === origin && visible) return finish(tab);
          settled ||= tab === origin;
          if (visible) other ??= tab;
          if (settled && other !== null) finish(other);
        },
      };
      this.host.say({ type: 'who', id });
    });
  }

  private isTaken(id: string): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (taken: boolean): void => {
        this.given = null;
        this.host.clock.clearTimeout(timer);
        resolve(taken);
      };
      const timer = this.host.clock.setTimeout(() => finish(false), TAKEN_MS);
      this.given = { id, taken: () => finish(true) };
    });
  }

  private lockOf(id: string): string {
    return `${this.host.lockName}:popup:${id}`;
  }

  private watch(id: string): void {
    navigator.locks.request(this.lockOf(id), () => this.gone(id)).catch(() => undefined);
  }

  /** Its screen is gone. What was said of it before is in the inbox: that first. */
  private async gone(id: string): Promise<void> {
    await this.host.drained();
    const open = this.open;
    if (open?.id !== id) return;
    this.open = null;
    this.host.guarded(() => this.host.core()?.popupGone(open.name));
    this.host.schedulePump();
  }

  closed(name: string): void {
    if (this.open?.name === name) this.open = null;
  }

  /** The core is let go: what it knew is of no use. */
  forget(): void {
    this.open = null;
  }

  // --- every tab
  // ------------------------------------------------------------------------------------

  heard(message: TabMessage): void {
    if (message.type === 'here' && message.id === this.asked?.id) this.asked.heard(message);
    else if (message.type === 'taken' && message.id === this.given?.id) this.given.taken();
    else if (message.type === 'popup' && message.to === this.host.tab) {
      this.receive(message.id, message.popup);
    }
  }

  private receive(id: string, popup: PopupJson): void {
    const held = (): Promise<void> =>
      new Promise((release) => {
        this.locks.set(id, release);
        this.host.say({ type: 'taken', id });
        this.take(id, popup);
      });
    navigator.locks.request(this.lockOf(id), held).catch(() => undefined);
  }

  private take(id: string, popup: PopupJson): void {
    this.held.push({ id, popup });
    while (this.held.length > HELD_MAX) this.release(this.held.shift()?.id ?? '');
    this.next();
  }

  /** Draw the next: a listener came, or the one before was closed. */
  next(): void {
    if (this.showing || !this.host.listeners.has('popup')) return;
    const next = this.held.shift();
    if (!next) return;
    this.showing = true;
    this.host.listeners.say('popup', this.shown(next.id, next.popup));
  }

  private shown(id: string, popup: PopupJson): ShownPopup {
    const { popup: name, version, variant, groups, template, content } = popup;
    const who = { popup: name, version, variant, ...(groups ? { groups } : {}) };
    let open = true;
    const tell = (method: 'popupClick' | 'popupClose', properties?: Properties): void =>
      this.host.post(method, name, { ...this.host.plain(properties, method), ...who });
    return {
      name,
      version,
      variant,
      template,
      ...(groups ? { groups } : {}),
      content,
      click: (properties) => {
        if (open) tell('popupClick', properties);
      },
      close: (properties) => {
        if (!open) return;
        open = false;
        tell('popupClose', properties);
        this.release(id);
        this.showing = false;
        queueMicrotask(() => this.next());
      },
    };
  }

  private release(id: string): void {
    this.locks.get(id)?.();
    this.locks.delete(id);
  }

  /** The page is left. */
  left(): void {
    for (const id of [...this.locks.keys()]) this.release(id);
  }
}
