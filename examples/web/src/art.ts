/** Product pictures, drawn: no image files, and every colour of a product is really that colour. */

/** Lighter (amount > 0, towards white) or darker (amount < 0, towards ink). */
function shade(hex: string, amount: number): string {
  const target = amount > 0 ? [255, 250, 240] : [24, 30, 28];
  const share = Math.abs(amount);
  const parts = [1, 3, 5].map((at, i) => {
    const from = parseInt(hex.slice(at, at + 2), 16);
    return Math.round(from + ((target[i] ?? 0) - from) * share);
  });
  return `rgb(${parts.join(' ')})`;
}

type Draw = (c: string) => string;

const shadow = (cx: number, cy: number, rx: number): string =>
  `<ellipse cx="${cx}" cy="${cy}" rx="${rx}" ry="${rx * 0.1}" fill="#1d2a26" opacity=".16"/>`;

const tent: Draw = (c) => `
  ${shadow(200, 262, 150)}
  <path d="M60 258 L178 96 Q188 84 200 96 L344 258Z" fill="${c}"/>
  <path d="M60 258 L178 96 Q184 88 190 90 L150 258Z" fill="${shade(c, -0.28)}"/>
  <path d="M190 90 Q196 92 200 96 L344 258 L262 258Z" fill="${shade(c, 0.16)}"/>
  <path d="M190 90 L150 258 L228 258Z" fill="#2b2a26"/>
  <path d="M190 90 L150 258 L176 258 Q196 190 190 90Z" fill="${shade(c, -0.1)}"/>
  <path d="M190 90 L228 258 L214 258 Q196 200 190 90Z" fill="#f6c667" opacity=".85"/>
  <path d="M186 88 L178 66 M60 258 L34 268 M344 258 L370 268" stroke="#f4ead6" stroke-width="3"
  stroke-linecap="round"/>
  <path d="M178 66 l20 6 l-17 9z" fill="#d9662b"/>`;

const pack: Draw = (c) => `
  ${shadow(200, 284, 96)}
  <path d="M140 112 Q106 150 116 250 L142 256Z" fill="${shade(c, -0.35)}"/>
  <path d="M260 112 Q294 150 284 250 L258 256Z" fill="${shade(c, -0.35)}"/>
  <rect x="132" y="78" width="136" height="204" rx="34" fill="${c}"/>
  <path d="M132 122 Q132 66 200 66 Q268 66 268 122 L268 134 Q200 154 132 134Z" fill="${shade(c,
  0.14)}"/>
  <rect x="150" y="184" width="100" height="78" rx="16" fill="${shade(c, -0.14)}"/>
  <path d="M150 206 h100" stroke="${shade(c, 0.3)}" stroke-width="3" stroke-dasharray="2 5"/>
  <path d="M168 74 V176 M232 74 V176" stroke="${shade(c, -0.42)}" stroke-width="9"/>
  <rect x="161" y="140" width="14" height="18" rx="3" fill="#f1dcae"/><rect x="225" y="140"
  width="14" height="18" rx="3" fill="#f1dcae"/>
  <path d="M178 66 Q200 30 222 66" fill="none" stroke="${shade(c, -0.42)}" stroke-width="9"
  stroke-linecap="round"/>
  <rect x="128" y="268" width="144" height="26" rx="13" fill="#e6cf9b"/><circle cx="134" cy="281"
  r="12" fill="#cdb27a"/><circle cx="134" cy="281" r="5" fill="#e6cf9b"/>`;

const stove: Draw = (c) => `
  ${shadow(200, 286, 90)}
  <path d="M134 110 h132 l-10 62 q-4 16 -20 16 h-72 q-16 0 -20 -16z" fill="#c9ced0"/>
  <path d="M134 110 h40 l6 78 h-16 q-16 0 -20 -16z" fill="#eef1f1"/>
  <rect x="124" y="100" width="152" height="16" rx="8" fill="#8e989b"/>
  <path d="M262 128 q44 -6 46 26 q0 18 -52 16" fill="none" stroke="#8e989b" stroke-width="8"/>
  <path d="M176 72 q-14 -14 0 -28 M202 78 q-14 -16 0 -34 M228 72 q-14 -14 0 -28" fill="none"
  stroke="#fff" stroke-width="6" stroke-linecap="round" opacity=".75"/>
  <path d="M170 210 q8 -24 16 0 q6 -30 14 0 q8 -30 14 0 q8 -24 16 0z" fill="#4aa3df"/>
  <path d="M182 210 q6 -16 10 0 q6 -18 12 0 q6 -16 12 0z" fill="#bfe4ff"/>
  <path d="M146 192 L166 212 M254 192 L234 212" stroke="#5c6568" stroke-width="8"
  stroke-linecap="round"/>
  <rect x="160" y="208" width="80" height="14" rx="7" fill="#5c6568"/>
  <rect x="188" y="220" width="24" height="18" fill="#77817f"/>
  <path d="M212 230 h36" stroke="#d9662b" stroke-width="6" stroke-linecap="round"/>
  <path d="M146 256 q0 -22 54 -22 t54 22 v22 q0 10 -10 10 h-88 q-10 0 -10 -10z" fill="${c}"/>
  <path d="M146 262 h108" stroke="${shade(c, 0.3)}" stroke-width="5"/>`;

const mug: Draw = (c) => `
  ${shadow(196, 272, 104)}
  <path d="M262 138 q66 -8 62 46 q-4 46 -74 42" fill="none" stroke="${shade(c, -0.18)}"
  stroke-width="18" stroke-linecap="round"/>
  <path d="M112 116 h168 l-10 136 q-2 18 -20 18 h-108 q-18 0 -20 -18z" fill="${c}"/>
  <path d="M112 116 h52 l2 154 h-24 q-18 0 -20 -18z" fill="${shade(c, 0.22)}"/>
  <ellipse cx="196" cy="116" rx="84" ry="19" fill="#fdf7ea"/><ellipse cx="196" cy="118" rx="72"
  ry="14" fill="#4b2f20"/>
  <path d="M112 116 q0 -20 84 -20 t84 20" fill="none" stroke="#2b3a45" stroke-width="6"/>
  <path d="M150 214 L182 168 L200 192 L214 176 L246 214Z" fill="#fdf7ea" opacity=".92"/><circle
  cx="232" cy="160" r="10" fill="#fdf7ea" opacity=".92"/>
  <circle cx="262" cy="244" r="7" fill="#2b3a45"/>
  <path d="M172 76 q-16 -18 0 -36 M204 72 q-16 -20 0 -42" fill="none" stroke="#fff"
  stroke-width="7" stroke-linecap="round" opacity=".8"/>`;

const lantern: Draw = (c) => `
  <circle cx="200" cy="176" r="136" fill="#ffd87a" opacity=".34"/><circle cx="200" cy="176"
  r="92" fill="#ffe9ae" opacity=".55"/>
  ${shadow(200, 284, 78)}
  <path d="M150 92 Q150 34 200 34 Q250 34 250 92" fill="none" stroke="#4b4a43" stroke-width="7"/>
  <path d="M146 100 q54 -42 108 0 v14 h-108z" fill="${c}"/><path d="M146 100 q20 -16 44 -20 v34
  h-44z" fill="${shade(c, 0.22)}"/>
  <rect x="156" y="114" width="88" height="112" fill="#fff3c9"/>
  <path d="M200 214 q-30 -24 -8 -58 q2 20 12 12 q8 -14 2 -30 q36 28 18 60 q-6 14 -24 16z"
  fill="#f2a13a"/>
  <path d="M200 212 q-14 -14 0 -32 q14 16 0 32z" fill="#fff7dd"/>
  <path d="M156 114 V226 M244 114 V226 M200 114 V136 M178 114 V226 M222 114 V226"
  stroke="${shade(c, -0.3)}" stroke-width="5" opacity=".8"/>
  <path d="M142 226 h116 v34 q0 20 -20 20 h-76 q-20 0 -20 -20z" fill="${c}"/>
  <path d="M142 226 h40 v54 h-20 q-20 0 -20 -20z" fill="${shade(c, 0.2)}"/>
  <circle cx="200" cy="254" r="12" fill="#f4ead6"/><path d="M200 254 v-9" stroke="#4b4a43"
  stroke-width="4" stroke-linecap="round"/>`;

const compass: Draw = (c) => {
  const ticks = Array.from({ length: 24 }, (_, i) => {
    const long = i % 6 === 0;
    return `<path d="M200 92 v${long ? 14 : 7}" stroke="#3a3f3c" stroke-width="${long ? 4 : 2}"
    transform="rotate(${i * 15} 200 180)"/>`;
  }).join('');
  return `
  ${shadow(200, 292, 94)}
  <circle cx="200" cy="54" r="16" fill="none" stroke="${shade(c, -0.25)}" stroke-width="8"/>
  <rect x="190" y="64" width="20" height="16" rx="4" fill="${shade(c, -0.25)}"/>
  <circle cx="200" cy="180" r="108" fill="${shade(c, -0.2)}"/><circle cx="200" cy="180" r="100"
  fill="${c}"/>
  <circle cx="200" cy="180" r="90" fill="#fbf5e6"/>${ticks}
  <text x="200" y="130" text-anchor="middle" font-size="20" font-weight="700" fill="#b4432b"
  font-family="Georgia,serif">N</text>
  <g transform="rotate(24 200 180)"><path d="M200 108 L214 180 L186 180Z" fill="#c8472b"/><path
  d="M200 252 L214 180 L186 180Z" fill="#42515a"/><path d="M200 108 L200 252" stroke="#fff"
  stroke-opacity=".4"/></g>
  <circle cx="200" cy="180" r="9" fill="${shade(c, -0.2)}"/>
  <path d="M132 132 q24 -40 68 -42" fill="none" stroke="#fff" stroke-width="8"
  stroke-linecap="round" opacity=".7"/>`;
};

const jacket: Draw = (c) => `
  ${shadow(200, 290, 110)}
  <path d="M150 84 L92 124 L66 246 L108 256 L128 184Z" fill="${shade(c, -0.16)}"/>
  <path d="M250 84 L308 124 L334 246 L292 256 L272 184Z" fill="${shade(c, -0.24)}"/>
  <path d="M144 84 Q200 64 256 84 L280 150 L276 278 Q200 292 124 278 L120 150Z" fill="${c}"/>
  <path d="M144 84 L120 150 L124 278 Q156 284 190 285 L196 92Z" fill="${shade(c, 0.14)}"/>
  <path d="M146 88 Q146 34 200 34 Q254 34 254 88 Q230 112 200 112 Q170 112 146 88Z"
  fill="${shade(c, -0.1)}"/>
  <path d="M166 88 Q166 52 200 52 Q234 52 234 88 Q218 102 200 102 Q182 102 166 88Z" fill="#2c2b27"/>
  <path d="M200 102 V286" stroke="#f4ead6" stroke-width="4" stroke-dasharray="7 4"/>
  <path d="M142 196 l38 20 M258 196 l-38 20" stroke="${shade(c, -0.45)}" stroke-width="6"
  stroke-linecap="round"/>
  <path d="M222 148 l14 -18 l9 11 l6 -7 l12 14z" fill="#f4ead6"/>
  <rect x="64" y="238" width="46" height="16" rx="8" fill="#2c2b27" transform="rotate(12 87
  246)"/><rect x="290" y="238" width="46" height="16" rx="8" fill="#2c2b27" transform="rotate(-12
  313 246)"/>`;

const boots: Draw = (c) => {
  const boot = (
    dx: number,
    dy: number,
    dark: number,
  ): string => `<g transform="translate(${dx} ${dy})">
    <path d="M128 92 h74 l6 84 q44 12 76 40 q14 12 14 34 h-170 q-10 -76 0 -158z" fill="${shade(c,
    -dark || 0.02)}"/>
    <path d="M128 92 h30 q-10 80 -4 158 h-26 q-10 -76 0 -158z" fill="${shade(c, -0.2 - dark)}"/>
    <path d="M232 188 q36 14 56 38 q8 10 10 24 h-44 q-6 -34 -22 -62z" fill="${shade(c, -0.3 -
    dark)}"/>
    <path d="M122 250 h180 v16 q0 8 -8 8 h-164 q-8 0 -8 -8z" fill="#2b2a26"/>
    <path d="M132 274 v8 h18 v-8 M166 274 v8 h18 v-8 M200 274 v8 h18 v-8 M234 274 v8 h18 v-8 M268
    274 v8 h18 v-8" fill="#2b2a26" stroke="#2b2a26" stroke-width="4"/>
    <rect x="122" y="80" width="86" height="20" rx="10" fill="${shade(c, -0.35 - dark)}"/>
    <path d="M176 116 l28 -6 M178 136 l30 -6 M182 156 l30 -6 M190 176 l30 -2" stroke="#d9662b"
    stroke-width="6" stroke-linecap="round"/>
  </g>`;
  return `${shadow(204, 290, 140)}${boot(34, -12, 0.24)}${boot(-24, 4, 0)}`;
};

const drawings: Readonly<Record<string, Draw>> = {
  'tent-ridge-2': tent,
  'pack-col-38': pack,
  'stove-wren': stove,
  'mug-enamel': mug,
  'lantern-glow': lantern,
  'compass-true': compass,
  'jacket-squall': jacket,
  'boots-scree': boots,
};

const skies: Readonly<Record<string, readonly [string, string, string]>> = {
  'tent-ridge-2': ['#cfe0dd', '#f4e3c8', '#8ea694'],
  'pack-col-38': ['#f1e0c5', '#f8efdf', '#b9b48f'],
  'stove-wren': ['#dfe4da', '#f3ecdd', '#a9ae96'],
  'mug-enamel': ['#f6d9b8', '#fbeedd', '#c69b78'],
  'lantern-glow': ['#33424d', '#6d6a6b', '#2b3a3a'],
  'compass-true': ['#d7e2de', '#f5eddd', '#9fb0a0'],
  'jacket-squall': ['#c3d0d8', '#e7e7de', '#8799a0'],
  'boots-scree': ['#e9dcc6', '#f6eedd', '#b3a284'],
};

export function picture(productId: string, colour: string, label: string): string {
  const [top, bottom, hill] = skies[productId] ?? ['#eee', '#fff', '#ccc'];
  const id = `sky-${productId}-${colour.slice(1)}`;
  return `<svg viewBox="0 0 400 320" role="img" aria-label="${label}"
  preserveAspectRatio="xMidYMid slice">
    <defs><linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1"><stop offset="0"
    stop-color="${top}"/><stop offset="1" stop-color="${bottom}"/></linearGradient></defs>
    <rect width="400" height="320" fill="url(#${id})"/>
    <path d="M0 236 L70 176 L128 222 L196 150 L268 224 L330 178 L400 232 V320 H0Z" fill="${hill}"
    opacity=".32"/>
    <path d="M0 268 Q90 236 190 258 T400 250 V320 H0Z" fill="${hill}" opacity=".55"/>
    ${drawings[productId]?.(colour) ?? ''}</svg>`;
}

/** The mark: a small cairn of four stones. */
export const mark = `<svg viewBox="0 0 48 48" aria-hidden="true"><ellipse cx="24" cy="40" rx="19"
ry="6.5" fill="#3c4a41"/><ellipse cx="25" cy="29" rx="14" ry="5.6" fill="#5d7052"/><ellipse
cx="23" cy="19.5" rx="9.5" ry="4.6" fill="#8a9b78"/><ellipse cx="24.5" cy="11.5" rx="5.6"
ry="3.6" fill="#d9662b"/></svg>`;

export const heroArt = `<svg viewBox="0 0 1200 420" preserveAspectRatio="xMidYMax slice"
aria-hidden="true">
  <defs><linearGradient id="dawn" x1="0" y1="0" x2="0" y2="1"><stop offset="0"
  stop-color="#2f4858"/><stop offset=".55" stop-color="#d98e5f"/><stop offset="1"
  stop-color="#f6d7a4"/></linearGradient></defs>
  <rect width="1200" height="420" fill="url(#dawn)"/>
  <circle cx="880" cy="236" r="62" fill="#fff1c9"/><circle cx="880" cy="236" r="110"
  fill="#fff1c9" opacity=".22"/>
  <path d="M0 300 L140 190 L250 270 L400 130 L560 276 L690 200 L840 290 L1000 180 L1200 300 V420
  H0Z" fill="#6f7f86" opacity=".75"/>
  <path d="M400 130 L446 172 L410 168 L386 184 L362 166Z M1000 180 L1034 200 L1006 204 L980 198Z"
  fill="#fdf7ea" opacity=".9"/>
  <path d="M0 340 Q180 250 380 320 T760 320 T1200 300 V420 H0Z" fill="#4f6459"/>
  <path d="M0 392 Q240 318 560 372 T1200 352 V420 H0Z" fill="#2f423b"/>
  <g transform="translate(958 262)"><ellipse cx="60" cy="100" rx="52" ry="15" fill="#1f2d29"/>
  <ellipse cx="62" cy="76" rx="38" ry="13" fill="#3c4a41"/><ellipse cx="57" cy="54" rx="26"
  ry="11" fill="#55675a"/><ellipse cx="60" cy="35" rx="16" ry="9" fill="#7f9076"/><ellipse
  cx="61" cy="19" rx="9" ry="6.5" fill="#d9662b"/></g>
  <path d="M170 384 l9 -30 l9 30z M196 388 l12 -42 l12 42z M232 386 l8 -28 l8 28z M1120 372 l10
  -36 l10 36z M1092 376 l7 -24 l7 24z" fill="#1f2d29"/>
</svg>`;
