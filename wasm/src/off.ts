/** The client of a place without a browser: everything is allowed and nothing happens. */
import type { Cairn, Status } from './types.js';

const STATUS: Status = {
  role: 'off',
  storage: 'memory',
  deviceId: '',
  loginId: '',
  online: false,
  queuedEvents: 0,
  queuedBytes: 0,
  lastSeq: 0,
  ackedSeq: 0,
  droppedEvents: 0,
  rejectedEvents: 0,
  retryInMs: 0,
};

export function offClient(): Cairn {
  const nothing = (): void => {};
  return {
    track: nothing,
    register: nothing,
    registerOnce: nothing,
    unregister: nothing,
    trackTimerStart: nothing,
    trackTimerPause: nothing,
    trackTimerResume: nothing,
    trackTimerEnd: nothing,
    login: nothing,
    logout: nothing,
    bind: nothing,
    unbind: nothing,
    profile: {
      set: nothing,
      setOnce: nothing,
      increment: nothing,
      append: nothing,
      unset: nothing,
    },
    consent: nothing,
    consentState: () => ({
      analytics: 'unknown',
      marketing: 'unknown',
      personalisation: 'unknown',
    }),
    allows: () => false,
    erase: nothing,
    flush: () => Promise.resolve({ ok: false, status: { ...STATUS } }),
    getStatus: () => ({ ...STATUS }),
    on: () => nothing,
    shutdown: () => Promise.resolve(),
  };
}
