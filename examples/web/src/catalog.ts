/** What the shop sells. Texts in both languages stand side by side, so that none is forgotten. */
import type { Language } from './i18n';

export type Text = Readonly<Record<Language, string>>;
export type Category = 'shelter' | 'carry' | 'kitchen' | 'light' | 'wear';

export interface Product {
  id: string;
  category: Category;
  name: Text;
  line: Text;
  story: Text;
  /** Cents, in the shop's one currency. */
  price: number;
  was?: number;
  rating: number;
  colours: readonly { name: Text; value: string }[];
  facts: readonly Text[];
}

const moss = { name: { en: 'Moss', zh: '苔绿' }, value: '#5d7052' };
const ember = { name: { en: 'Ember', zh: '炭火橙' }, value: '#d9662b' };
const slate = { name: { en: 'Slate', zh: '岩灰' }, value: '#4a5a6a' };
const sand = { name: { en: 'Sand', zh: '沙色' }, value: '#d8b27a' };
const lake = { name: { en: 'Lake', zh: '湖蓝' }, value: '#3d7f95' };
const berry = { name: { en: 'Berry', zh: '莓红' }, value: '#a8475a' };

export const categories: Readonly<Record<Category, Text>> = {
  shelter: { en: 'Shelter', zh: '营帐' },
  carry: { en: 'Packs', zh: '背包' },
  kitchen: { en: 'Camp kitchen', zh: '炊具' },
  light: { en: 'Light & way', zh: '照明与方向' },
  wear: { en: 'Wear', zh: '穿着' },
};

export const products: readonly Product[] = [
  {
    id: 'tent-ridge-2',
    category: 'shelter',
    name: { en: 'Ridge 2 tent', zh: '山脊双人帐' },
    line: { en: 'Up in three minutes, even in the rain', zh: '三分钟搭好，雨中也从容' },
    story: {
      en: 'Two doors, two porches, and a pole set that only fits one way. We pitched it 200 ' +
        'times in a garden shed so that you can do it once in the dark.',
      zh: '双门双前厅，帐杆只有一种装法。我们在棚子里搭了两百次，好让你在夜里一次就成。',
    },
    price: 32900,
    was: 38900,
    rating: 4.8,
    colours: [moss, ember, lake],
    facts: [
      { en: '1.9 kg packed', zh: '收纳重量 1.9 公斤' },
      { en: '3,000 mm water column', zh: '防水 3000 毫米水柱' },
      { en: 'Sleeps two and a wet dog', zh: '睡两个人和一只湿漉漉的狗' },
    ],
  },
  {
    id: 'pack-col-38',
    category: 'carry',
    name: { en: 'Col 38 backpack', zh: '垭口 38 升背包' },
    line: { en: 'Carries a weekend, weighs a book', zh: '装得下一个周末，只有一本书重' },
    story: {
      en: 'A roll top, one big room, and pockets where your hands already are. The hip belt ' +
        'comes off when the trail ends in a town.',
      zh: '卷口主仓，口袋就在手边。走完山路进城时，腰带可以拆下。',
    },
    price: 14900,
    rating: 4.7,
    colours: [slate, ember, moss],
    facts: [
      { en: '38 litres, 820 g', zh: '38 升，820 克' },
      { en: 'Recycled ripstop', zh: '再生防撕裂面料' },
      { en: 'Repaired free for life', zh: '终身免费修补' },
    ],
  },
  {
    id: 'stove-wren',
    category: 'kitchen',
    name: { en: 'Wren stove', zh: '鹪鹩炉头' },
    line: { en: 'Half a litre boils in two minutes', zh: '半升水两分钟烧开' },
    story: {
      en: 'Small enough for a mug, steady enough for soup. The valve simmers; most do not.',
      zh: '小得能放进杯子，稳得能煮汤。火力能调小，多数炉头做不到。',
    },
    price: 5900,
    rating: 4.6,
    colours: [slate, sand],
    facts: [
      { en: '86 g', zh: '86 克' },
      { en: 'Piezo igniter', zh: '压电点火' },
      { en: 'Folds into a mug', zh: '可收进杯中' },
    ],
  },
  {
    id: 'mug-enamel',
    category: 'kitchen',
    name: { en: 'First Light mug', zh: '晨光珐琅杯' },
    line: { en: 'Coffee tastes of morning in it', zh: '喝得出清晨的味道' },
    story: {
      en: 'Steel, enamel, and a rim rolled by hand in a village that has done it since 1911.',
      zh: '钢胎珐琅，杯口手工卷边，出自一个从 1911 年做到今天的村子。',
    },
    price: 1900,
    rating: 4.9,
    colours: [sand, lake, berry],
    facts: [
      { en: '350 ml', zh: '350 毫升' },
      { en: 'On the fire or in the sink', zh: '上火或进水槽都可以' },
      { en: 'Chips tell stories', zh: '磕痕是故事' },
    ],
  },
  {
    id: 'lantern-glow',
    category: 'light',
    name: { en: 'Glowworm lantern', zh: '萤火营灯' },
    line: { en: 'Forty evenings on one charge', zh: '一次充电，四十个夜晚' },
    story: {
      en: 'Warm at the bottom of the dial, bright at the top. Hang it from a branch, a beam or ' +
        'a tent.',
      zh: '调低是暖光，调高是亮光。挂在树枝、房梁或帐顶都好。',
    },
    price: 4500,
    was: 5200,
    rating: 4.7,
    colours: [ember, moss, sand],
    facts: [
      { en: '5 to 300 lumen', zh: '5 至 300 流明' },
      { en: 'USB-C', zh: 'USB-C 充电' },
      { en: 'Rain is fine', zh: '不怕雨' },
    ],
  },
  {
    id: 'compass-true',
    category: 'light',
    name: { en: 'True North compass', zh: '真北指南针' },
    line: { en: 'No battery, no account', zh: '不用电池，不用账号' },
    story: {
      en: 'Brass, a sapphire bearing, and a needle that settles in two seconds. Set the ' +
        'declination once.',
      zh: '黄铜外壳，蓝宝石轴承，指针两秒静止。磁偏角只需调一次。',
    },
    price: 6900,
    rating: 4.9,
    colours: [sand, slate],
    facts: [
      { en: '±1° accuracy', zh: '误差 ±1°' },
      { en: 'Made to be inherited', zh: '做来传家' },
      { en: 'Clinometer inside', zh: '内置测斜仪' },
    ],
  },
  {
    id: 'jacket-squall',
    category: 'wear',
    name: { en: 'Squall jacket', zh: '疾风冲锋衣' },
    line: { en: 'Quiet fabric, loud weather', zh: '面料安静，哪怕风雨喧哗' },
    story: {
      en: 'Three layers without the crisp-packet rustle. The hood fits a helmet and turns with ' +
        'your head.',
      zh: '三层压胶，却没有塑料袋的声响。风帽容得下头盔，也跟得上转头。',
    },
    price: 24900,
    rating: 4.5,
    colours: [ember, lake, slate],
    facts: [
      { en: '20,000 mm / 20,000 g', zh: '20000 毫米 / 20000 克' },
      { en: 'Pit zips', zh: '腋下拉链' },
      { en: 'No forever chemicals', zh: '不含永久化学物' },
    ],
  },
  {
    id: 'boots-scree',
    category: 'wear',
    name: { en: 'Scree boots', zh: '碎石登山靴' },
    line: { en: 'Stay where you put them', zh: '踩在哪里，就站在哪里' },
    story: {
      en: 'Resoled up to three times at our bench. The laces lock at the ankle, so that ' +
        'downhill toes have room.',
      zh: '可在我们的工作台换三次底。鞋带在脚踝处锁定，下坡时脚趾有余地。',
    },
    price: 18900,
    rating: 4.6,
    colours: [sand, slate, moss],
    facts: [
      { en: '1.1 kg a pair', zh: '一双 1.1 公斤' },
      { en: 'Sizes 35 to 48', zh: '35 至 48 码' },
      { en: 'Can be resoled', zh: '可换底' },
    ],
  },
];

export const productOf = (id: string): Product | undefined => products.find((p) => p.id === id);
