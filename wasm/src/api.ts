/** The calls of the API that become a call as data: what is left of them is the same everywhere. */
import { plainProperties, type Method, type Plain } from './call.js';
import type {
  DecideQuery,
  DecisionOf,
  Experiment,
  ExperimentDecision,
  Inspection,
  Json,
  PopupDecision,
  Slot,
} from './decide_types.js';
import type { Decisions } from './decisions.js';
import type { Profile, Properties } from './types.js';

export abstract class Api {
  readonly profile: Profile = this.profileCalls();
  readonly popup = {
    show: (name: string): Promise<PopupDecision> => this.decisions.showPopup(name),
  };

  protected abstract readonly decisions: Decisions;
  protected abstract post(method: Method, name: string, value: string, properties: Plain): void;
  protected abstract problem(code: string, message: string): void;

  protected plain(properties: Properties | undefined, of: string): Plain {
    return plainProperties(properties, (name) =>
      this.problem(
        'property_refused',
        `${of}: "${name}" is not a string, finite number, boolean, Date or list of strings; ` +
          `left out`,
      ),
    );
  }

  private names(names: string[]): Plain {
    return Object.fromEntries(names.map((name) => [String(name), null]));
  }

  track(event: string, properties?: Properties): void {
    this.post('track', String(event), '', this.plain(properties, event));
  }

  register(properties: Properties): void {
    this.post('register', '', '', this.plain(properties, 'register'));
  }

  registerOnce(properties: Properties): void {
    this.post('registerOnce', '', '', this.plain(properties, 'registerOnce'));
  }

  unregister(...names: string[]): void {
    this.post('unregister', '', '', this.names(names));
  }

  trackTimerStart(event: string): void {
    this.post('timerStart', String(event), '', {});
  }

  trackTimerPause(event: string): void {
    this.post('timerPause', String(event), '', {});
  }

  trackTimerResume(event: string): void {
    this.post('timerResume', String(event), '', {});
  }

  trackTimerEnd(event: string, properties?: Properties): void {
    this.post('timerEnd', String(event), '', this.plain(properties, event));
  }

  login(id: string, idType = 'login'): void {
    this.post('login', String(idType), String(id), {});
  }

  logout(): void {
    this.post('logout', '', '', {});
  }

  bind(idType: string, id: string): void {
    this.post('bind', String(idType), String(id), {});
  }

  unbind(idType: string, id: string): void {
    this.post('unbind', String(idType), String(id), {});
  }

  private profileCalls(): Profile {
    const call = (method: Method) => (properties: Properties) =>
      this.post(method, '', '', this.plain(properties, method));
    return {
      set: call('profileSet'),
      setOnce: call('profileSetOnce'),
      increment: call('profileIncrement'),
      append: call('profileAppend'),
      unset: (...names) => this.post('profileUnset', '', '', this.names(names)),
    };
  }

  // --- decisions
  // ------------------------------------------------------------------------------------

  decide<Q extends DecideQuery>(query: Q): Promise<DecisionOf<Q>> {
    return this.decisions.decide(query);
  }

  slot(name: string): Promise<Slot> {
    return this.decisions.slot(name);
  }

  slotShown(slot: string, item: string, position: number): void {
    this.post('slotShown', String(slot), String(item), this.plain({ position }, 'slotShown'));
  }

  slotClicked(slot: string, item: string, position: number): void {
    this.post('slotClicked', String(slot), String(item), this.plain({ position }, 'slotClicked'));
  }

  experiment(name: string): Promise<Experiment> {
    return this.decisions.experiment(name);
  }

  flag<T extends Json>(name: string, fallback: T): Promise<T> {
    return this.decisions.flag(name, fallback);
  }

  experiments(): Promise<ExperimentDecision> {
    return this.decisions.experiments();
  }

  setPage(page: string): void {
    this.decisions.setPage(page);
  }

  inspect(): Promise<Inspection> {
    return this.decisions.inspect();
  }

  setBundle(bytes: Uint8Array): Promise<boolean> {
    return this.decisions.setBundle(bytes);
  }
}
