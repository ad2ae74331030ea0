/** The calls of the API that become a call as data: what is left of them is the same everywhere. */
import { plainProperties, type Method, type Plain } from './call.js';
import type { Profile, Properties } from './types.js';

export abstract class Api {
  readonly profile: Profile = this.profileCalls();

  protected abstract post(method: Method, name: string, value: string, properties: Plain): void;
  protected abstract problem(code: string, message: string): void;

  private plain(properties: Properties | undefined, of: string): Plain {
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
}
