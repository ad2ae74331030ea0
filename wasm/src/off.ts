/** The client of a place without a browser: everything is allowed and nothing happens. */
import { noExperiments, noPopup, noSlot, questionOf } from './asks.js';
import type { DecideQuery, Decides, DecisionOf } from './decide_types.js';
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

const nothing = (): void => {};

const offDecisions: Decides = {
  decide: <Q extends DecideQuery>(query: Q) =>
    Promise.resolve(questionOf(query).none('unavailable') as DecisionOf<Q>),
  popup: { show: () => Promise.resolve(noPopup('unavailable')) },
  slot: (name) =>
    Promise.resolve({ items: [], source: 'nothing', why: noSlot(name, 'unavailable') }),
  slotShown: nothing,
  slotClicked: nothing,
  experiment: () => Promise.resolve({ variant: null, value: null, reason: 'unavailable' }),
  flag: (_name, fallback) => Promise.resolve(fallback),
  experiments: () => Promise.resolve(noExperiments('unavailable')),
  setPage: nothing,
  inspect: () => Promise.resolve({ reason: 'unavailable' }),
  setBundle: () => Promise.resolve(false),
};

export function offClient(): Cairn {
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
    ...offDecisions,
    shutdown: () => Promise.resolve(),
  };
}
