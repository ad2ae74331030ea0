/** The pages, each a function from state to markup. */
import { heroArt, mark, picture } from './art';
import { categories, productOf, products, type Category, type Product } from './catalog';
import { escape } from './html';
import { current, money, t } from './i18n';
import { cart, cartCount, cartTotal, currentUser } from './state';

const FREE_DELIVERY_FROM = 10000;
const DELIVERY = 590;

export const deliveryOf = (total: number): number => (total >= FREE_DELIVERY_FROM ? 0 : DELIVERY);

const price = (product: Product): string =>
  product.was === undefined
    ? `<span class="price">${money(product.price)}</span>`
    : `<span class="price sale">${money(product.price)}</span><s
    class="was">${money(product.was)}</s>`;

export function header(): string {
  const user = currentUser();
  const who = user
    ? `<button class="quiet" data-action="logout" title="${t('logout')}"><span
    class="avatar">${escape(user.slice(0, 1).toUpperCase())}</span><span
    class="wide">${escape(user)} · ${t('logout')}</span></button>`
    : `<button class="quiet" data-action="ask-login">${t('login')}</button>`;
  const other = current() === 'en' ? '中文' : 'English';
  return `<header class="top"><a class="brand" href="#/">${mark}<span><b>Cairn<i> Outfitters</i>
  </b><small>${t('brandLine')}</small></span></a>
    <nav><button class="quiet" data-action="language" aria-label="language">${other}</button>${who}
    <a class="cart-link" href="#/cart" aria-label="${t('cart')}"><svg viewBox="0 0 24 24"
    aria-hidden="true"><path d="M3 4h2.5l2.2 11.2a1.6 1.6 0 0 0 1.6 1.3h7.9a1.6 1.6 0 0 0
    1.6-1.2L20.6 8H6.4" fill="none" stroke="currentColor" stroke-width="1.8"
    stroke-linecap="round" stroke-linejoin="round"/><circle cx="9.6" cy="20" r="1.5"/><circle
    cx="17" cy="20" r="1.5"/></svg><span class="wide">${t('cart')}</span><b class="count"
    data-empty="${cartCount() === 0}">${cartCount()}</b></a></nav></header>`;
}

function card(product: Product): string {
  const name = product.name[current()];
  return `<a class="card" href="#/product/${product.id}"><div class="art">${picture(product.id,
  product.colours[0]!.value, name)}${product.was ? `<span class="tag">−${Math.round(100 - (100 *
  product.price) / product.was)} %</span>` : ''}</div>
    <div class="words"><h3>${name}</h3><p>${product.line[current()]}</p><div
    class="row">${price(product)}<span class="dots">${product.colours.map((c) => `<i
    style="background:${c.value}"></i>`).join('')}</span></div></div></a>`;
}

export function listPage(category: Category | 'all'): string {
  const shown = products.filter((p) => category === 'all' || p.category === category);
  const chip = (key: Category | 'all', label: string): string =>
    `<a class="chip" href="#/${key === 'all' ? '' : `category/${key}`}" ${key === category ?
    'aria-current="page"' : ''}>${label}</a>`;
  const chips = Object.entries(categories).map(([key, label]) =>
    chip(key as Category, label[current()]),
  );
  return `<section class="hero">${heroArt}<div><h1>${t('heroTitle')}</h1><p>${t('heroText')}</p>
  <button class="primary" data-action="see-all">${t('heroButton')}</button></div></section>
    <div class="picks" data-slot></div><div class="chips" id="collection">${chip('all', t('all'))}${chips.join('')}</div><section
    class="grid">${shown.map(card).join('')}</section>`;
}

/** `storyAbove`: the arm of the experiment "product-page". */
export function productPage(product: Product, colour: number, storyAbove: boolean): string {
  const shade = product.colours[colour] ?? product.colours[0]!;
  const name = product.name[current()];
  const story = `<p class="story">${product.story[current()]}</p>`;
  const swatches = product.colours
    .map(
      (c, i) =>
        `<button class="swatch" data-action="colour" data-colour="${i}" aria-pressed="${i ===
        colour}" title="${c.name[current()]}" style="--c:${c.value}"></button>`,
    )
    .join('');
  return `<a class="backlink" href="#/">← ${t('back')}</a><article class="product"><div
  class="art big">${picture(product.id, shade.value, name)}</div><div class="about">
    <p class="kicker">${categories[product.category][current()]}</p><h1>${name}</h1><p
    class="line">${product.line[current()]}</p>
    <p class="stars"><span style="--r:${product.rating / 5}">★★★★★</span> ${product.rating}
    ${t('rating')}</p>${storyAbove ? story : ''}
    <ul>${product.facts.map((fact) => `<li>${fact[current()]}</li>`).join('')}</ul>
    <div class="pick"><span>${t('colour')}: <b>${shade.name[current()]}</b></span>
    <div>${swatches}</div></div>
    <div class="buy">${price(product)}<button class="primary" data-action="add"
    data-id="${product.id}" data-colour="${colour}">${t('addToCart')}</button></div>
    ${storyAbove ? '' : story}</div>
    </article>`;
}

function sums(): string {
  const goods = cartTotal();
  const delivery = deliveryOf(goods);
  return `<dl class="sums"><dt>${t('subtotal')}</dt><dd>${money(goods)}</dd>
  <dt>${t('delivery')}</dt><dd>${delivery === 0 ? t('free') : money(delivery)}</dd><dt
  class="total">${t('total')}</dt><dd class="total">${money(goods + delivery)}</dd></dl>`;
}

export function cartPage(): string {
  if (cart().length === 0) {
    return `<section class="empty">${mark}<h1>${t('cart')}</h1><p>${t('cartEmpty')}</p><a
    class="primary" href="#/">${t('keepLooking')}</a></section>`;
  }
  const rows = cart().map((line, at) => {
    const product = productOf(line.id)!;
    const colour = product.colours[line.colour] ?? product.colours[0]!;
    return `<li><a class="art small" href="#/product/${line.id}">${picture(line.id, colour.value,
    '')}</a><div><b>${product.name[current()]}</b><small>${colour.name[current()]}</small><button
    class="link" data-action="quantity" data-at="${at}" data-to="0">${t('remove')}</button></div>
      <div class="stepper"><button data-action="quantity" data-at="${at}"
      data-to="${line.quantity - 1}" aria-label="−">−</button><span>${line.quantity}</span>
      <button data-action="quantity" data-at="${at}" data-to="${line.quantity + 1}"
      aria-label="+">+</button></div><span class="price">${money(product.price *
      line.quantity)}</span></li>`;
  });
  return `<h1>${t('cart')}</h1><div class="two"><ul class="lines">${rows.join('')}</ul><aside
  class="box">${sums()}<a class="primary" href="#/checkout">${t('checkout')}</a><a class="link"
  href="#/">${t('keepLooking')}</a></aside></div>`;
}

export function checkoutPage(): string {
  const way = (value: string, label: string, checked = false): string =>
    `<label class="way"><input type="radio" name="payment" value="${value}" ${checked ? 'checked'
    : ''}/><span>${label}</span></label>`;
  return `<a class="backlink" href="#/cart">← ${t('cart')}</a><h1>${t('checkout')}</h1><form
  class="two" data-form="checkout"><div class="box fields"><h2>${t('yourDetails')}</h2>
    <label>${t('name')}<input name="name" required maxlength="60" autocomplete="name"
    placeholder="${t('namePlaceholder')}" value="${escape(currentUser())}"/></label>
    <label>${t('address')}<input name="address" required maxlength="120"
    autocomplete="street-address" placeholder="${t('addressPlaceholder')}"/></label>
    <h2>${t('payment')}</h2><div class="ways">${way('card', t('payCard'), true)}${way('transfer',
    t('payTransfer'))}${way('on_delivery', t('payLater'))}</div></div>
    <aside class="box">${sums()}<button class="primary">${t('placeOrder')}</button></aside></form>`;
}

export function donePage(order: string): string {
  return `<section class="empty done">${mark}<h1>${t('thanks')}</h1><p>${t('orderNumber')}
  <b>${escape(order)}</b></p><p>${t('thanksText')}</p><a class="primary"
  href="#/">${t('keepLooking')}</a></section>`;
}

export const footer = (): string =>
  `<footer class="foot"><span>Cairn Outfitters</span><button class="link"
  data-action="privacy">${t('privacy')}</button></footer>`;

export function loginDialog(): string {
  return `<form method="dialog" data-form="login"><h2>${t('loginTitle')}</h2>
  <p>${t('loginText')}</p><label>${t('loginName')}<input name="user" required maxlength="60"
  autocomplete="username" autofocus/></label><div class="row"><button type="button" class="quiet"
  data-action="close-login">${t('cancel')}</button><button class="primary">${t('login')}</button>
  </div></form>`;
}
