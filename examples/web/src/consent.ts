/** The banner: asked once, and again from the foot of the page. No answer is dressed up. */
import type { Category, ConsentChoice } from 'cairn-sdk';
import { cairn } from './analytics';
import { t, type TextKey } from './i18n';

const TEXT_VERSION = '2026-11';
const CATEGORIES: readonly Category[] = ['analytics', 'marketing', 'personalisation'];
const root = document.createElement('div');
let asked = false;

const isOpen = (): boolean =>
  asked || Object.values(cairn.consentState()).every((said) => said === 'unknown');

function choose(allowed: (category: Category) => boolean): void {
  const choice: ConsentChoice = { source: 'banner', textVersion: TEXT_VERSION };
  for (const category of CATEGORIES) choice[category] = allowed(category);
  asked = false;
  cairn.consent(choice);
  renderConsent();
}

const tick = (category: Category): string =>
  `<label class="tick"><input type="checkbox" name="${category}" ${
    cairn.allows(category) ? 'checked' : ''
  }/><span><b>${t(`consent_${category}` as TextKey)}</b>
  <small>${t(`consent_${category}_why` as TextKey)}</small></span></label>`;

export function renderConsent(): void {
  root.innerHTML = isOpen()
    ? `<section class="consent" role="region" aria-label="${t('consentTitle')}">
    <div><h2>${t('consentTitle')}</h2><p>${t('consentText')}</p></div>
    <div class="ticks">${CATEGORIES.map(tick).join('')}</div>
    <div class="row"><button class="outline" data-consent="none">${t('consentNone')}</button>
    <button class="outline" data-consent="some">${t('consentSome')}</button>
    <button class="outline" data-consent="all">${t('consentAll')}</button></div></section>`
    : '';
}

export function askAgain(): void {
  asked = true;
  renderConsent();
  root.querySelector<HTMLInputElement>('input')?.focus();
}

export function mountConsent(): void {
  document.body.append(root);
  root.addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('[data-consent]');
    const what = button?.dataset['consent'];
    const ticked = (category: Category): boolean =>
      root.querySelector<HTMLInputElement>(`[name=${category}]`)?.checked ?? false;
    if (what === 'all') choose(() => true);
    if (what === 'none') choose(() => false);
    if (what === 'some') choose(ticked);
  });
  cairn.on('consent', () => {
    asked = false;
    renderConsent();
  });
  renderConsent();
}
