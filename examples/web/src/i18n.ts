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
  role_waiting: { en: 'waits for consent', zh: '等待同意' },
  decisions: { en: 'Why it was decided so', zh: '为何这样决定' },
  noDecisions: { en: 'Nothing was decided yet.', zh: '还没有决定。' },
  definitions: { en: 'Definitions on this device', zh: '本机的定义' },
  noBundle: { en: 'None yet: the shop shows what it would show anyway.', zh: '还没有：商店照常展示。' },
  bundleVersion: { en: 'Bundle', zh: '定义包' },
  bundleKinds: { en: 'Popups · slots · tests · audiences', zh: '弹窗 · 位置 · 实验 · 人群' },
  factsHere: { en: 'Facts: counted here + from the server', zh: '事实：本机统计 + 服务器' },
  eventsHere: { en: 'Events remembered', zh: '记住的事件' },
  kept: { en: 'kept', zh: '已保存' },
  beingKept: { en: 'being kept', zh: '保存中' },
  counters: { en: 'Counted for this person', zh: '此人的计数' },
  noCounters: { en: 'Nothing yet.', zh: '还没有。' },
  allPopups: { en: 'all popups', zh: '所有弹窗' },
  of_shows: { en: 'shown', zh: '展示' },
  of_clicks: { en: 'clicked', zh: '点击' },
  of_closes: { en: 'closed', zh: '关闭' },
  of_conversions: { en: 'converted', zh: '转化' },
  per_ever: { en: 'ever', zh: '总计' },
  per_rolling: { en: 'span', zh: '时段' },
  per_session: { en: 'session', zh: '会话' },
  per_day: { en: 'day', zh: '天' },
  per_week: { en: 'week', zh: '周' },
  per_month: { en: 'month', zh: '月' },
  atMost: { en: 'at most', zh: '最多' },
  popup: { en: 'Popup', zh: '弹窗' },
  slot: { en: 'Slot', zh: '位置' },
  experiment: { en: 'Experiment', zh: '实验' },
  byName: { en: 'asked by name', zh: '按名称' },
  byQueue: { en: 'waits', zh: '等待中' },
  noCandidates: { en: 'No popup is bound to this.', zh: '没有弹窗与此相关。' },
  outcome_none: { en: 'nothing', zh: '不展示' },
  outcome_show: { en: 'shown', zh: '展示' },
  outcome_wait: { en: 'waits', zh: '等待' },
  source_default: { en: 'default', zh: '默认' },
  source_last_good: { en: 'as last seen', zh: '沿用上次' },
  source_nothing: { en: 'empty', zh: '空' },
  stage_being_kept: { en: 'being kept', zh: '保存中' },
  stage_open: { en: 'on the screen', zh: '正在展示' },
  session: { en: 'Session', zh: '会话' },
  said_unknown: { en: 'not asked', zh: '未询问' },
  said_granted: { en: 'yes', zh: '同意' },
  said_denied: { en: 'no', zh: '拒绝' },
  consent_analytics: { en: 'Measuring', zh: '统计' },
  consent_marketing: { en: 'Offers', zh: '营销' },
  consent_personalisation: { en: 'Personal picks', zh: '个性化' },
  consent_analytics_why: { en: 'What is looked at and bought.', zh: '浏览与购买情况。' },
  consent_marketing_why: { en: 'A popup now and then.', zh: '偶尔弹出优惠。' },
  consent_personalisation_why: { en: 'What you see first depends on what you looked at.', zh: '首页依浏览而变。' },
  consentTitle: { en: 'May we remember your walk?', zh: '可以记住您的足迹吗？' },
  consentText: { en: 'Nothing is kept and nothing leaves this device before you say so. You can change it at the foot of every page.', zh: '在您同意之前，不保存、不发送任何数据。随时可在页脚更改。' },
  consentNone: { en: 'Nothing', zh: '都不要' },
  consentSome: { en: 'As ticked', zh: '按勾选' },
  consentAll: { en: 'All of it', zh: '全部同意' },
  privacy: { en: 'Privacy choices', zh: '隐私选择' },
  offerClose: { en: 'Close', zh: '关闭' },
  offerLater: { en: 'Later', zh: '以后再说' },
  offerGo: { en: 'Have a look', zh: '去看看' },
  pickMore: { en: 'Have a look', zh: '去看看' },
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
