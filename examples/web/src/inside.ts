/** What inspect() says, for people: who, which definitions, what is counted, and why something was
 * decided so. */
import type {
  Candidate,
  Cap,
  Decision,
  ExperimentDecision,
  Inspection,
  PopupDecision,
  SlotDecision,
} from 'cairn-sdk';
import { escape } from './html';
import { current, t, type TextKey } from './i18n';
import { reasonText } from './reasons';

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

function row(label: TextKey, value: string, title = ''): string {
  return `<dt>${t(label)}</dt><dd ${title && `title="${escape(title)}"`}>${value}</dd>`;
}

const time = (ms: number): string => new Date(ms).toLocaleTimeString([], { hour12: false });

const said = (value = 'unknown'): string =>
  `<i class="said is-${escape(value)}">${t(`said_${value}` as TextKey)}</i>`;

export function whoRows(inside: Inspection): string {
  const { ids, consent = {} } = inside;
  const device = ids?.device ?? '';
  const session = ids?.session ? row('session', `#${ids.session}`) : '';
  return `${row('device', `<span class="mono">${device ? `${device.slice(0, 12)}…` : '–'}</span>`,
  device)}${row('person', escape(ids?.value ?? '') || t('anonymous'))}${session}
    ${row('consent_analytics', said(consent['analytics']))}
    ${row('consent_marketing', said(consent['marketing']))}
    ${row('consent_personalisation', said(consent['personalisation']))}`;
}

export function definitionRows(inside: Inspection): string {
  const { bundle = {}, local = {} } = inside;
  if (!number(bundle['version'])) return `<p class="none">${t('noBundle')}</p>`;
  const kinds = `${number(bundle['popups'])} · ${number(bundle['slots'])} ·
    ${number(bundle['experiments'])} · ${number(bundle['audiences'])}`;
  return `<dl>${row('bundleVersion', `${number(bundle['version'])} <i class="said is-${
    bundle['durable'] ? 'granted' : 'unknown'
  }">${t(bundle['durable'] ? 'kept' : 'beingKept')}</i>`)}
    ${row('bundleKinds', kinds)}
    ${row('factsHere', `${number(local['counters'])} + ${number(local['server_facts'])}`)}
    ${row('eventsHere', String(number(local['events'])))}</dl>`;
}

interface Counter {
  readonly [name: string]: string | number | undefined;
}

const KINDS = ['popup', 'group', 'item', 'experiment'] as const;

/** Of each name how often it was shown, clicked, closed, bought after. */
export function counterRows(inside: Inspection): string {
  const counters = (inside['counters'] ?? []) as readonly Counter[];
  const rows = counters.map((counter) => {
    const kind = KINDS.find((name) => typeof counter[name] === 'string');
    const name = kind ? `${counter[kind]}` || t('allPopups') : '?';
    const counts = (['shows', 'clicks', 'closes', 'conversions'] as const)
      .map((of) => `<td>${number(counter[of]) || '·'}</td>`)
      .join('');
    return `<tr><th>${escape(name)}${counter['of'] ? ` / ${escape(String(counter['of']))}` : ''}
      </th>${counts}</tr>`;
  });
  if (rows.length === 0) return `<p class="none">${t('noCounters')}</p>`;
  const heads = (['shows', 'clicks', 'closes', 'conversions'] as const)
    .map((of) => `<td>${t(`of_${of}`)}</td>`)
    .join('');
  return `<table><thead><tr><th></th>${heads}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

// --- decisions
// --------------------------------------------------------------------------------------------

function capText({ count, of, window, ms = 0, group }: Cap): string {
  const hours = Math.round(ms / 3_600_000);
  const span = window === 'rolling' ? `${hours} h` : t(`per_${window}`);
  const whose = group ? ` (${group})` : '';
  const per = current() === 'zh' ? '/' : 'per';
  return `${t('atMost')} ${count} ${t(`of_${of}`)} ${per} ${span}${whose}`;
}

const GOOD = ['show', 'chosen', 'assigned', 'sticky', 'ranked'];
const WAITS = ['wait', 'control', 'priority', 'not_asked', 'explored'];

function why(name: string, reason: string, more = ''): string {
  const kind = GOOD.includes(reason) ? 'good' : WAITS.includes(reason) ? 'mild' : 'bad';
  return `<li><b>${escape(name)}</b><span class="why is-${kind}" title="${escape(reason)}">${escape(
    reasonText(reason, current()),
  )}${more && `<small>${escape(more)}</small>`}</span></li>`;
}

const candidate = ({ name, reason, cap, variant }: Candidate): string =>
  why(name, reason, cap ? capText(cap) : (variant ?? ''));

function popupDecision(d: PopupDecision): string {
  const asked = d.event ?? t(d.by === 'queue' ? 'byQueue' : 'byName');
  const none = `<li class="none">${t('noCandidates')}</li>`;
  return head(d, `${t('popup')} · ${asked}`, t(`outcome_${d.outcome}`), d.outcome === 'show') +
    `<ul>${d.candidates.map(candidate).join('') || none}</ul>`;
}

function slotDecision(d: SlotDecision): string {
  const strategies = d.strategies.map((s) => why(s.name, s.reason, s.script ?? ''));
  const left = d.strategies.flatMap((s) => s.left_out ?? []);
  const out = left.map(({ id, reason }) => why(id, reason));
  const items = d.items.map(({ id, reason, position }) => why(`${position}. ${id}`, reason));
  const source = d.source === 'strategy' ? (d.strategy ?? '') : t(`source_${d.source}`);
  return head(d, `${t('slot')} · ${d.slot}`, source, d.items.length > 0) +
    `<ul>${[...strategies, ...items, ...out].join('')}</ul>`;
}

function experimentDecision(d: ExperimentDecision): string {
  const rows = d.experiments.map((e) => why(e.name, e.reason, e.variant ?? ''));
  return head(d, t('experiment'), '', false) + `<ul>${rows.join('')}</ul>`;
}

const head = (d: Decision, what: string, outcome: string, good: boolean): string =>
  `<header><time>${time(d.now)}</time><b>${escape(what)}</b>${outcome && `<i
  class="said is-${good ? 'granted' : 'unknown'}">${escape(outcome)}</i>`}</header>`;

function decision(d: Decision): string {
  if (d.decide === 'popup') return popupDecision(d);
  return d.decide === 'slot' ? slotDecision(d) : experimentDecision(d);
}

export function decisionList(inside: Inspection): string {
  const list = inside.decisions ?? [];
  if (list.length === 0) return `<p class="none">${t('noDecisions')}</p>`;
  return list.map((d) => `<article class="decision">${decision(d)}</article>`).join('');
}

/** What is on its way to the screen. */
export function popupLine(inside: Inspection): string {
  const { popup } = inside;
  if (!popup || (popup.stage === 'none' && popup.waiting.length === 0)) return '';
  const now = popup.stage === 'none' ? '' : `${t(`stage_${popup.stage}`)}: ${popup.name ?? ''}`;
  const waiting = popup.waiting.map(({ name }) => `${t('byQueue')}: ${name}`);
  return `<p class="stage">${[now, ...waiting].filter(Boolean).map(escape).join('<br/>')}</p>`;
}
