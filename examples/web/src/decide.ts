/** What Cairn decides for the shop: two popups, the picks on the home page, the product page's
 * experiment. What came from the operator is text and a link within the shop, never markup. */
import type { Json, ShownPopup, SlotItem } from 'cairn-sdk';
import { cairn } from './analytics';
import { productOf } from './catalog';
import { escape } from './html';
import { current, t } from './i18n';
import { heroArt, picture } from './art';

export const HERO_SLOT = 'home-hero';
const STORY = 'product-page';
const STORY_WAIT_MS = 400;

type Content = { readonly [name: string]: Json };

const objectOf = (json: Json): Content =>
  json !== null && typeof json === 'object' && !Array.isArray(json) ? (json as Content) : {};

/** A text in the shop's language, or in any. */
function textOf(json: Json | undefined): string {
  if (typeof json === 'string') return json;
  const texts = objectOf(json ?? null);
  const text = texts[current()] ?? texts['en'];
  return typeof text === 'string' ? text : '';
}

/** Only places of this shop. */
const linkOf = (json: Json | undefined): string =>
  typeof json === 'string' && json.startsWith('#/') ? json : '#/';

// --- popups
// ------------------------------------------------------------------------------------------

function words(popup: ShownPopup): string {
  const content = objectOf(popup.content);
  const headline = textOf(content['headline']);
  return `${headline && `<h2 id="offer-title">${escape(headline)}</h2>`}
    <p ${headline ? '' : 'id="offer-title"'}>${escape(textOf(content['text']))}</p>`;
}

const button = (popup: ShownPopup): string =>
  escape(textOf(objectOf(popup.content)['button'])) || t('offerGo');

/** The browser's own modal dialog keeps the focus inside, closes at Escape and gives the focus
 * back; a click beside it closes it, too. */
function openModal(popup: ShownPopup): void {
  const dialog = document.createElement('dialog');
  dialog.className = 'offer';
  dialog.setAttribute('aria-labelledby', 'offer-title');
  dialog.innerHTML = `<button class="offer-close" data-offer="x" aria-label="${t('offerClose')}">×
    </button><div class="offer-art">${heroArt}</div>${words(popup)}
    <div class="row"><button class="quiet" data-offer="later">${t('offerLater')}</button>
    <button class="primary" data-offer="go" autofocus>${button(popup)}</button></div>`;
  let how = 'escape';
  dialog.addEventListener('click', (event) => {
    const on = event.target as Element;
    const what = on.closest<HTMLElement>('[data-offer]')?.dataset['offer'];
    if (what === undefined && on !== dialog) return;
    how = what ?? 'beside';
    if (what === 'go') follow(popup);
    dialog.close();
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    popup.close({ how });
  });
  document.body.append(dialog);
  dialog.showModal();
}

function follow(popup: ShownPopup): void {
  popup.click();
  location.hash = linkOf(objectOf(popup.content)['link']);
}

/** A bar interrupts nobody: it is announced, and takes no focus. */
function openBar(popup: ShownPopup): void {
  const bar = document.createElement('aside');
  bar.className = 'offer-bar';
  bar.setAttribute('role', 'status');
  bar.innerHTML = `<span>${escape(textOf(objectOf(popup.content)['text']))}</span>
    <button class="link" data-offer="go">${button(popup)}</button>
    <button data-offer="x" aria-label="${t('offerClose')}">×</button>`;
  const close = (how: string): void => {
    bar.remove();
    popup.close({ how });
  };
  bar.addEventListener('click', (event) => {
    const what = (event.target as Element).closest<HTMLElement>('[data-offer]')?.dataset['offer'];
    if (what === 'go') follow(popup);
    if (what) close(what);
  });
  document.body.prepend(bar);
}

export function mountPopups(): void {
  cairn.on('popup', (popup) => (popup.template === 'modal' ? openModal : openBar)(popup));
}

// --- the picks of the home page
// ----------------------------------------------------------------------

function pick({ id, position, content }: SlotItem): string {
  const { product: productId, headline, link } = objectOf(content);
  const product = productOf(typeof productId === 'string' ? productId : '');
  const to = product ? `#/product/${product.id}` : linkOf(link);
  const shade = product?.colours[0]?.value ?? '#3f5a49';
  const art = product ? picture(product.id, shade, '') : '<i class="ridge"></i>';
  const title = product ? product.name[current()] : textOf(headline);
  const line = product ? product.line[current()] : t('pickMore');
  return `<a class="pick-card" href="${escape(to)}" data-pick="${escape(id)}"
    data-position="${position}"><div class="pick-art">${art}</div><div>
    <b>${escape(title)}</b><small>${escape(line)}</small></div></a>`;
}

/** Told once per visit of the page, when half of it is really on the screen. */
function tellSeen(cards: Iterable<HTMLElement>): void {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        const { pick = '', position } = (target as HTMLElement).dataset;
        cairn.slotShown(HERO_SLOT, pick, Number(position));
      }
    },
    { threshold: 0.5 },
  );
  for (const card of cards) observer.observe(card);
}

/** A first visit comes before the first definitions. */
let isEarly = false;

/** Fill the place that the page keeps for it. */
export async function fillPicks(): Promise<void> {
  const place = document.querySelector<HTMLElement>('[data-slot]');
  if (!place) return;
  const { items, why } = await cairn.slot(HERO_SLOT);
  isEarly = why.reason === 'no_bundle' || why.reason === 'unavailable';
  if (!place.isConnected) return;
  place.innerHTML = items.map(pick).join('');
  place.classList.toggle('is-empty', items.length === 0);
  tellSeen(place.querySelectorAll<HTMLElement>('[data-pick]'));
}

export function mountPicks(): void {
  cairn.on('consent', () => void fillPicks());
  cairn.on('status', () => {
    if (isEarly) void fillPicks();
  });
}

export function tellPicked(target: Element): void {
  const { pick, position } = target.closest<HTMLElement>('[data-pick]')?.dataset ?? {};
  if (pick !== undefined) cairn.slotClicked(HERO_SLOT, pick, Number(position));
}

// --- the product page
// ---------------------------------------------------------------------------------

let storyAbove = false;
export const isStoryAbove = (): boolean => storyAbove;

/** The variant, asked where its difference is seen; a page does not wait for it for long. */
export async function askStory(): Promise<boolean> {
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), STORY_WAIT_MS));
  const answer = await Promise.race([cairn.experiment(STORY), late]);
  const before = storyAbove;
  if (answer) storyAbove = objectOf(answer.value)['story'] === 'above';
  return storyAbove !== before;
}
