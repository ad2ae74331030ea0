/** What the shop remembers between pages: the cart and who is logged in. */
import { productOf } from './catalog';

export interface CartLine {
  id: string;
  colour: number;
  quantity: number;
}

const CART_AS = 'shop.cart';
const USER_AS = 'shop.user';
const QUANTITY_MAX = 9;

function readCart(): CartLine[] {
  try {
    const lines = JSON.parse(localStorage.getItem(CART_AS) ?? '[]') as CartLine[];
    return lines.filter((line) => productOf(line.id) !== undefined);
  } catch {
    return [];
  }
}

let lines = readCart();
let user = localStorage.getItem(USER_AS) ?? '';

const keep = (): void => localStorage.setItem(CART_AS, JSON.stringify(lines));

export const cart = (): readonly CartLine[] => lines;
export const cartCount = (): number => lines.reduce((sum, line) => sum + line.quantity, 0);
export const cartTotal = (): number =>
  lines.reduce((sum, line) => sum + (productOf(line.id)?.price ?? 0) * line.quantity, 0);

export function addToCart(id: string, colour: number): void {
  const line = lines.find((held) => held.id === id && held.colour === colour);
  if (line) line.quantity = Math.min(line.quantity + 1, QUANTITY_MAX);
  else lines.push({ id, colour, quantity: 1 });
  keep();
}

export function setQuantity(at: number, quantity: number): void {
  const line = lines[at];
  if (!line) return;
  if (quantity <= 0) lines.splice(at, 1);
  else line.quantity = Math.min(quantity, QUANTITY_MAX);
  keep();
}

export function emptyCart(): void {
  lines = [];
  keep();
}

export const currentUser = (): string => user;

export function setUser(name: string): void {
  user = name;
  localStorage.setItem(USER_AS, name);
}
