/** The shop: a hash router, one click listener, and the events a shop would want to know of. */
import './style.css';
import { cairn } from './analytics';
import { askAgain, mountConsent, renderConsent } from './consent';
import { categories, productOf, type Category } from './catalog';
import { askStory, fillPicks, isStoryAbove, mountPicks, mountPopups, tellPicked } from './decide';
import { need } from './html';
import { current, setLanguage, t } from './i18n';
import { mountPanel } from './panel';
import {
  addToCart,
  cart,
  cartCount,
  cartTotal,
  currentUser,
  emptyCart,
  setQuantity,
  setUser,
} from './state';
import {
  cartPage,
  checkoutPage,
  deliveryOf,
  donePage,
  footer,
  header,
  listPage,
  loginDialog,
  productPage,
} from './views';

const app = need<HTMLElement>('#app');
let colour = 0;

function page(): string {
  const [, place = '', id = ''] = location.hash.split('/');
  const product = place === 'product' ? productOf(id) : undefined;
  if (product) return productPage(product, colour, isStoryAbove());
  if (place === 'cart') return cartPage();
  if (place === 'checkout' && cart().length > 0) return checkoutPage();
  if (place === 'done') return donePage(id);
  return listPage(place === 'category' && id in categories ? (id as Category) : 'all');
}

function render(): void {
  document.title = 'Cairn Outfitters';
  app.innerHTML = `${header()}<main>${page()}</main>${footer()}<dialog id="login">${loginDialog()}</dialog>`;
}

/** What a visit to a page says about a person. */
function trackVisit(): void {
  const [, place = '', id = ''] = location.hash.split('/');
  const product = productOf(id);
  if (place === 'product' && product) {
    cairn.track('view_item', {
      item_id: product.id,
      category: product.category,
      price: product.price / 100,
    });
  } else if (place === 'cart')
    cairn.track('view_cart', { items: cartCount(), amount: cartTotal() / 100 });
  else if (place === 'checkout' && cart().length > 0) {
    cairn.trackTimerStart('purchase');
    cairn.track('begin_checkout', { items: cartCount(), amount: cartTotal() / 100 });
  } else if (place !== 'done') cairn.track('view_list', { category: id || 'all' });
}

/** Where the person is, without what differs from one product or order to the next. */
function placeName(): string {
  const [, place = ''] = location.hash.split('/');
  return `/${place}`;
}

function visit(): void {
  colour = 0;
  render();
  scrollTo(0, 0);
  cairn.setPage(placeName());
  trackVisit();
  void fillPicks();
  if (placeName() === '/product') void askStory().then((changed) => changed && render());
}

function flyToCart(): void {
  const badge = need<HTMLElement>('.count');
  badge.classList.add('pop');
}

const actions: Readonly<Record<string, (data: DOMStringMap) => void>> = {
  language() {
    setLanguage(current() === 'en' ? 'zh' : 'en');
    cairn.register({ language: current() });
    render();
    renderConsent();
    void fillPicks();
    panel.render();
  },
  privacy: askAgain,
  'see-all': () => need('#collection').scrollIntoView({ behavior: 'smooth' }),
  colour(data) {
    colour = Number(data['colour']);
    render();
  },
  add(data) {
    const product = productOf(data['id'] ?? '');
    if (!product) return;
    addToCart(product.id, colour);
    cairn.track('add_cart', {
      item_id: product.id,
      category: product.category,
      colour: product.colours[colour]?.name.en ?? '',
      price: product.price / 100,
    });
    render();
    flyToCart();
    const button = need<HTMLButtonElement>('[data-action=add]');
    button.textContent = `✓ ${t('added')}`;
  },
  quantity(data) {
    const line = cart()[Number(data['at'])];
    if (!line) return;
    const name = Number(data['to']) > line.quantity ? 'add_cart' : 'remove_cart';
    cairn.track(name, { item_id: line.id, price: (productOf(line.id)?.price ?? 0) / 100 });
    setQuantity(Number(data['at']), Number(data['to']));
    render();
  },
  'ask-login': () => need<HTMLDialogElement>('#login').showModal(),
  'close-login': () => need<HTMLDialogElement>('#login').close(),
  logout() {
    cairn.track('log_out');
    cairn.logout();
    setUser('');
    render();
  },
};

function logIn(name: string): void {
  if (!name) return;
  setUser(name);
  cairn.login(name);
  cairn.profile.setOnce({ first_login: new Date() });
  cairn.profile.set({ name, language: current() });
  cairn.track('log_in', { method: 'name' });
}

function placeOrder(form: FormData): void {
  const order = `CO-${Date.now().toString(36).toUpperCase()}`;
  const goods = cartTotal();
  cairn.trackTimerEnd('purchase', {
    order_id: order,
    amount: (goods + deliveryOf(goods)) / 100,
    items: cartCount(),
    item_ids: cart().map((line) => line.id),
    payment: String(form.get('payment')),
    first_order: currentUser() === '',
  });
  cairn.profile.increment({ orders: 1, spent: goods / 100 });
  emptyCart();
  location.hash = `#/done/${order}`;
}

document.addEventListener('click', (event) => {
  tellPicked(event.target as Element);
  const button = (event.target as Element).closest<HTMLElement>('[data-action]');
  if (!button) return;
  actions[button.dataset['action'] ?? '']?.(button.dataset);
});

document.addEventListener('submit', (event) => {
  const form = event.target as HTMLFormElement;
  const data = new FormData(form);
  if (form.dataset['form'] === 'login') {
    logIn(String(data.get('user')).trim());
    queueMicrotask(render);
  } else if (form.dataset['form'] === 'checkout') {
    event.preventDefault();
    placeOrder(data);
  }
});

addEventListener('hashchange', visit);
setLanguage(current());
cairn.register({ language: current(), shop: 'outfitters' });
const panel = mountPanel(cairn);
mountConsent();
mountPopups();
mountPicks();
visit();
