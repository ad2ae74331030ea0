/** Two languages; a missing text does not compile. */
export type Language = 'en' | 'zh';

const texts = {
  brandLine: { en: 'Things for people who look for the path', zh: '给找路的人' },
  heroTitle: { en: 'Pack light. Walk far. Come home.', zh: '轻装，远行，归来。' },
  heroText: {
    en: 'Eight good things for the hills, each one made to be repaired.',
    zh: '八样上山的好东西，件件都能修补。',
  },
  heroButton: { en: 'See the collection', zh: '看看全部' },
  all: { en: 'Everything', zh: '全部' },
  addToCart: { en: 'Add to cart', zh: '加入购物车' },
  added: { en: 'In your cart', zh: '已加入购物车' },
  back: { en: 'All products', zh: '全部商品' },
  colour: { en: 'Colour', zh: '颜色' },
  cart: { en: 'Cart', zh: '购物车' },
  cartEmpty: {
    en: 'Nothing here yet. The hills can wait a minute.',
    zh: '还是空的。山不急，再看看。',
  },
  remove: { en: 'Remove', zh: '移除' },
  subtotal: { en: 'Goods', zh: '商品' },
  delivery: { en: 'Delivery', zh: '运费' },
  free: { en: 'free', zh: '免费' },
  total: { en: 'Total', zh: '合计' },
  checkout: { en: 'Checkout', zh: '去结算' },
  keepLooking: { en: 'Keep looking', zh: '继续逛' },
  yourDetails: { en: 'Where shall it go?', zh: '寄到哪里？' },
  name: { en: 'Name', zh: '姓名' },
  namePlaceholder: { en: 'Ada Walker', zh: '王小山' },
  address: { en: 'Address', zh: '地址' },
  addressPlaceholder: { en: '3 Mill Lane, Keswick', zh: '杭州市西湖区龙井路 1 号' },
  payment: { en: 'Payment', zh: '支付方式' },
  payCard: { en: 'Card', zh: '银行卡' },
  payTransfer: { en: 'Bank transfer', zh: '转账' },
  payLater: { en: 'On delivery', zh: '货到付款' },
  placeOrder: { en: 'Place order', zh: '提交订单' },
  thanks: { en: 'Thank you! It is on its way.', zh: '谢谢！包裹已上路。' },
  thanksText: {
    en: 'No money was moved: this is an example.',
    zh: '没有真的扣款：这是示例商店。',
  },
  orderNumber: { en: 'Order', zh: '订单号' },
  login: { en: 'Log in', zh: '登录' },
  logout: { en: 'Log out', zh: '退出' },
  hello: { en: 'Hello', zh: '你好' },
  loginTitle: { en: 'Who is walking?', zh: '是谁在走？' },
  loginText: {
    en: 'Any name will do. Your events so far become that person’s.',
    zh: '随便取个名字。之前的行为会归到这个人名下。',
  },
  loginName: { en: 'User name', zh: '用户名' },
  cancel: { en: 'Cancel', zh: '取消' },
  rating: { en: 'of 5', zh: '分（满分 5）' },
  panel: { en: 'What Cairn sees', zh: 'Cairn 看到的' },
  panelOpen: { en: 'Data', zh: '数据' },
  offlineSwitch: { en: 'Simulate offline', zh: '模拟断网' },
  offline: { en: 'offline', zh: '离线' },
  online: { en: 'online', zh: '在线' },
  queued: { en: 'Waiting', zh: '排队' },
  acked: { en: 'Acknowledged', zh: '已确认' },
  lastSeq: { en: 'Events so far', zh: '累计事件' },
  dropped: { en: 'Given up', zh: '放弃' },
  role: { en: 'This tab', zh: '本标签页' },
  role_starting: { en: 'starting', zh: '启动中' },
  role_sender: { en: 'sends', zh: '负责发送' },
  role_follower: { en: 'another tab sends', zh: '由其他标签页发送' },
  role_stopped: { en: 'stopped', zh: '已停止' },
  role_off: { en: 'off', zh: '关闭' },
  storage: { en: 'Kept in', zh: '保存在' },
  device: { en: 'Device', zh: '设备' },
  person: { en: 'Person', zh: '用户' },
  anonymous: { en: 'anonymous', zh: '匿名' },
  events: { en: 'Last events', zh: '最近事件' },
  sendNow: { en: 'Send now', zh: '立即发送' },
  tryThis: {
    en: 'Go offline, click around, reload, come back: nothing is lost and nothing counts twice.',
    zh: '断网、随便点、刷新、再恢复：不丢，也不重复。',
  },
  noEvents: { en: 'Nothing yet.', zh: '还没有。' },
} as const;

export type TextKey = keyof typeof texts;

const STORED_AS = 'shop.language';
let language: Language = stored();

function stored(): Language {
  const kept = localStorage.getItem(STORED_AS);
  if (kept === 'en' || kept === 'zh') return kept;
  return navigator.language.startsWith('zh') ? 'zh' : 'en';
}

export const current = (): Language => language;

export function setLanguage(next: Language): void {
  language = next;
  localStorage.setItem(STORED_AS, next);
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
}

export const t = (key: TextKey): string => texts[key][language];

export function money(cents: number): string {
  return new Intl.NumberFormat(language === 'zh' ? 'zh-CN' : 'en-GB', {
    style: 'currency',
    currency: 'EUR',
    minimumFractionDigits: cents % 100 === 0 ? 0 : 2,
  }).format(cents / 100);
}
