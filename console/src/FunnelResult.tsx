import { Empty, Progress, Statistic, Table } from "antd";
import { useMemo } from "react";

import type { Answer } from "./api";
import { Chart } from "./Chart";
import { useWords } from "./i18n";
import { type FunnelStep, funnelSteps } from "./query";

const COLOURS = ["#115e59", "#0f766e", "#0d9488", "#14b8a6", "#2dd4bf", "#5eead4"];
const ROW_HEIGHT = 58;
const LABEL_BYTES_MAX = 24;

function percent(part: number): string {
  return `${(part * 100).toFixed(part > 0 && part < 0.1 ? 2 : 1)} %`;
}

function shorten(name: string): string {
  return name.length > LABEL_BYTES_MAX ? `${name.slice(0, LABEL_BYTES_MAX - 1)}…` : name;
}

function chartOption(steps: FunnelStep[]) {
  return {
    tooltip: {
      trigger: "item",
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const step = steps[dataIndex]!;
        return `${step.index}. ${echartsText(step.name)}<br/>${step.persons.toLocaleString()}`;
      },
    },
    series: [
      {
        type: "funnel",
        sort: "none",
        min: 0,
        max: steps[0]!.persons,
        minSize: "2%",
        maxSize: "100%",
        left: 8,
        right: 190,
        top: 4,
        bottom: 4,
        gap: 3,
        label: { position: "right", fontSize: 13, formatter: "{b}", color: "#334155" },
        labelLine: { length: 12, lineStyle: { color: "#cbd5e1" } },
        data: steps.map((step, index) => ({
          name: `${step.index}. ${shorten(step.name)}  ${percent(step.fromFirst)}`,
          value: step.persons,
          itemStyle: { color: COLOURS[index % COLOURS.length], borderWidth: 0 },
        })),
      },
    ],
  };
}

/** Names come from outside; the tooltip is HTML. */
function echartsText(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function useColumns() {
  const { words } = useWords();
  return useMemo(
    () => [
      { title: "", dataIndex: "index", width: 44 },
      { title: words.event, dataIndex: "name", ellipsis: true },
      {
        title: words.reached,
        dataIndex: "persons",
        align: "right" as const,
        render: (value: number) => value.toLocaleString(),
      },
      {
        title: words.fromPrevious,
        dataIndex: "fromPrevious",
        width: 210,
        render: (value: number, step: FunnelStep) =>
          step.index === 1 ? null : (
            <Progress
              percent={value * 100}
              size="small"
              strokeColor="#0d9488"
              format={() => percent(value)}
            />
          ),
      },
      {
        title: words.fromFirst,
        dataIndex: "fromFirst",
        align: "right" as const,
        render: (value: number) => percent(value),
      },
      {
        title: words.dropped,
        dataIndex: "lost",
        align: "right" as const,
        render: (value: number, step: FunnelStep) =>
          step.index === 1 ? null : value.toLocaleString(),
      },
    ],
    [words],
  );
}

export function FunnelResult({ answer, steps: names }: { answer: Answer; steps: string[] }) {
  const { words } = useWords();
  const steps = useMemo(() => funnelSteps(answer, names), [answer, names]);
  const option = useMemo(() => chartOption(steps), [steps]);
  const columns = useColumns();
  const last = steps[steps.length - 1]!;
  if (steps[0]!.persons === 0) {
    return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={words.noneReached} />;
  }
  return (
    <div data-test="funnel-answer">
      <div className="overall">
        <Statistic title={words.overall} value={percent(last.fromFirst)} />
        {answer.stats?.events_read !== undefined && (
          <span className="quiet">
            {words.eventsRead(
              answer.stats.events_read.toLocaleString(),
              (answer.stats.ms ?? 0).toLocaleString(undefined, { maximumFractionDigits: 1 }),
            )}
          </span>
        )}
      </div>
      <Chart option={option} height={steps.length * ROW_HEIGHT} label={words.funnel} />
      <Table<FunnelStep>
        size="small"
        rowKey="index"
        columns={columns}
        dataSource={steps}
        pagination={false}
        scroll={{ x: 640 }}
        className="funnel-table"
      />
    </div>
  );
}
