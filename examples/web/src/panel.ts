/** The panel that shows what the SDK does: the queue, what is acknowledged, who, and the
 * network. */
import type { Cairn, CallNote, Inspection } from 'cairn-sdk';
import { isOffline, setOffline } from './analytics';
import { escape, need } from './html';
import { t, type TextKey } from './i18n';
import { counterRows, decisionList, definitionRows, popupLine, whoRows } from './inside';

const EVENTS_SHOWN_MAX = 30;
const OPEN_AS = 'shop.panel';
/** How often it looks inside while it is open, besides at every change. */
const LOOK_MS = 1000;

function shortValue(value: unknown): string {
  if (value instanceof Date) return value.toISOString().slice(11, 19);
  if (Array.isArray(value)) return `[${value.join(', ')}]`;
  return String(value);
}

function eventRow(call: CallNote): string {
  const time = new Date(call.timeMs).toLocaleTimeString([], { hour12: false });
  const values = Object.entries(call.properties)
    .map(([name, value]) => `<span>${escape(name)} <b>${escape(shortValue(value))}</b></span>`)
    .join('');
  const title = call.method === 'track' || call.method === 'timerEnd' ? call.name : call.method;
  return `<li><time>${time}</time><b class="${call.method}">${escape(title)}</b>${values && `<div
  class="values">${values}</div>`}</li>`;
}

const partOf = (details: HTMLDetailsElement): { part: string; open: boolean } => ({
  part: details.dataset['part'] ?? '',
  open: details.open,
});

export function mountPanel(cairn: Cairn): { render(): void } {
  const root = document.createElement('div');
  root.className = 'panel-root';
  document.body.append(root);
  const calls: CallNote[] = [];
  const closed = new Set<string>(['definitions', 'counters']);
  let inside: Inspection = {};
  let open = (localStorage.getItem(OPEN_AS) ?? (innerWidth > 1100 ? '1' : '0')) === '1';

  const meter = (label: TextKey, value: number | string, kind = ''): string =>
    `<div class="meter ${kind}"><b data-meter="${label}">${value}</b><span>${t(label)}</span>
    </div>`;

  const part = (title: TextKey, content: string): string =>
    `<details data-part="${title}" ${closed.has(title) ? '' : 'open'}><summary>${t(title)}</summary>
    ${content}</details>`;

  const body = (): string => {
    const s = cairn.getStatus();
    const offline = isOffline() || !s.online;
    return `<section class="panel"><h2>${t('panel')}<button data-panel="toggle"
    aria-label="×">×</button></h2>
      <div class="net ${offline ? 'is-off' : ''}"><i></i>${t(offline ? 'offline' :
      'online')}<label class="switch"><input type="checkbox" data-panel="offline" ${isOffline() ?
      'checked' : ''}/><span></span>${t('offlineSwitch')}</label></div>
      <div class="meters">${meter('queued', s.queuedEvents, s.queuedEvents > 0 ? 'busy' :
      '')}${meter('acked', s.ackedSeq, 'good')}${meter('lastSeq', s.lastSeq)}${meter('dropped',
      s.droppedEvents, s.droppedEvents > 0 ? 'bad' : '')}</div>
      <dl><dt>${t('role')}</dt><dd>${t(`role_${s.role}`)}</dd><dt>${t('storage')}</dt>
      <dd>${s.storage}</dd>${whoRows(inside)}</dl>
      <p class="hint">${t('tryThis')} <button class="link"
      data-panel="flush">${t('sendNow')}</button></p>
      ${part('decisions', popupLine(inside) + decisionList(inside))}
      ${part('definitions', definitionRows(inside))}
      ${part('counters', counterRows(inside))}
      <h3>${t('events')}</h3><ul class="events">${calls.map(eventRow).join('') || `<li
      class="none">${t('noEvents')}</li>`}</ul></section>`;
  };

  const render = (): void => {
    const top = root.querySelector('.panel')?.scrollTop ?? 0;
    const s = cairn.getStatus();
    document.body.classList.toggle('with-panel', open);
    root.innerHTML = open
      ? body()
      : `<button class="panel-tab ${isOffline() || !s.online ? 'is-off' : ''}"
      data-panel="toggle"><i></i>${t('panelOpen')}<b>${s.queuedEvents}</b></button>`;
    root.querySelector('.panel')?.scrollTo(0, top); // it was drawn anew
  };

  let scheduled = false;
  const soon = (): void => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      render();
    });
  };

  const look = async (): Promise<void> => {
    if (!open || document.visibilityState !== 'visible') return;
    const now = await cairn.inspect();
    if (JSON.stringify(now) === JSON.stringify(inside)) return;
    inside = now;
    soon();
  };

  root.addEventListener(
    'toggle',
    ({ target }) => {
      const { part, open } = partOf(target as HTMLDetailsElement);
      if (open) closed.delete(part);
      else closed.add(part);
    },
    true,
  );
  root.addEventListener('click', (event) => {
    const what = (event.target as Element).closest<HTMLElement>('[data-panel]')?.dataset['panel'];
    if (what === 'flush') void cairn.flush();
    if (what !== 'toggle') return;
    open = !open;
    localStorage.setItem(OPEN_AS, open ? '1' : '0');
    render();
    void look();
  });
  root.addEventListener('change', (event) => {
    const box = event.target as HTMLInputElement;
    if (box.dataset['panel'] === 'offline') setOffline(box.checked);
    soon();
  });
  cairn.on('call', (call) => {
    if (call.method !== 'register') calls.unshift(call);
    calls.length = Math.min(calls.length, EVENTS_SHOWN_MAX);
    soon();
  });
  cairn.on('status', () => {
    soon();
    void look();
  });
  setInterval(() => void look(), LOOK_MS);
  need('body').append(root);
  render();
  return { render };
}
