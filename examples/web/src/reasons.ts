/** The reasons of decisions as a person would say them; docs/DECISIONS.md has their meaning. */
import type { Language } from './i18n';

const reasons: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  show: ['shown', '展示'],
  wait: ['will be shown in a moment', '稍后展示'],
  no_consent: ['no consent to this', '未同意'],
  unknown_name: ['nothing of this name is defined', '没有这个定义'],
  paused: ['paused', '已暂停'],
  not_yet: ['its time has not begun', '还没开始'],
  ended: ['its time is over', '已结束'],
  trigger: ['the event does not fit its trigger', '事件不符合触发条件'],
  trigger_unknown: ['only the server knows its trigger', '触发条件只有服务器知道'],
  page: ['not on this page', '不在此页面展示'],
  audience: ['not in its audience', '不在人群内'],
  audience_unknown: ['only the server knows its audience', '人群只有服务器知道'],
  no_unit: ['nobody to assign', '没有可分配的对象'],
  holdout_all: ['held out of all popups', '弹窗对照组'],
  holdout: ['held out of this one', '该弹窗的对照组'],
  quiet: ['quiet hours', '免打扰时段'],
  cap: ['its cap is reached', '已达上限'],
  cap_group: ["its group's cap is reached", '分组已达上限'],
  cap_all: ['the cap of all popups is reached', '弹窗总量已达上限'],
  control: ['control arm: counted, not shown', '对照组：计数但不展示'],
  control_full: ['a control arm too many', '对照组过多'],
  priority: ['another came first', '优先级较低'],
  open: ['one is on the screen', '已有弹窗'],
  waiting: ['waits already', '已在等待'],
  queue_full: ['too many wait', '等待队列已满'],
  chosen: ['fills the slot', '采用'],
  not_asked: ['an earlier one decided', '前面的已采用'],
  too_few: ['too few items', '内容不足'],
  ranked: ['ranked', '按得分排列'],
  explored: ['explored', '探索'],
  filter: ['filtered out', '被过滤'],
  filter_unknown: ['only the server knows its filter', '过滤条件只有服务器知道'],
  bought: ['bought already', '已购买'],
  repeat: ['shown a short while ago', '刚展示过'],
  category: ['enough of its category', '同类已够'],
  size: ['the slot is full', '位置已满'],
  last_good: ['what was seen last', '上次看到的'],
  default: ['default', '默认'],
  assigned: ['assigned', '已分组'],
  sticky: ['assigned before', '沿用之前的分组'],
  forced: ['forced', '指定'],
};

/** A reason that is not here is told as it is. */
export function reasonText(reason: string, language: Language): string {
  const texts = reasons[reason];
  if (texts) return texts[language === 'zh' ? 1 : 0];
  return reason.replace(/_/g, ' ');
}
