import { PauseOutlined, CaretRightOutlined, ClearOutlined } from "@ant-design/icons";
import { Badge, Button, Card, Empty, Input, Space, Statistic, Table, Tag, Typography } from "antd";
import { useEffect, useMemo, useState } from "react";

import { type Answer, Problem, analyze } from "./api";
import { Chart } from "./Chart";
import { useWords } from "./i18n";
import { type Live, type Row, SECONDS_SHOWN } from "./live";
import { ProblemView } from "./ProblemView";
import { localZone, todayQuery, valueOf } from "./query";

const TODAY_EVERY_MS = 5000;

/** Today's counts, asked again and again while the page is looked at. */
function useToday(round: number): { answer?: Answer; problem?: unknown } {
  const [result, setResult] = useState<{ answer?: Answer; problem?: unknown }>({});
  useEffect(() => {
    const stop = new AbortController();
    const ask = () => {
      if (document.hidden) return;
      analyze(todayQuery(localZone, new Date()), stop.signal).then(
        (answer) => setResult({ answer }),
        (problem: unknown) => {
          if (!stop.signal.aborted) setResult((before) => ({ ...before, problem }));
        },
      );
    };
    ask();
    const timer = setInterval(ask, TODAY_EVERY_MS);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [round]);
  return result;
}

function StreamBadge({ live }: { live: Live }) {
  const { words } = useWords();
  const texts = {
    open: words.streamOpen,
    connecting: words.streamConnecting,
    waiting: words.streamWaiting,
  };
  const colours = { open: "success", connecting: "processing", waiting: "warning" } as const;
  return <Badge status={colours[live.state]} text={texts[live.state]} className="stream-state" />;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function Properties({ row }: { row: Row }) {
  return (
    <span className="properties">
      {Object.entries(row.properties ?? {}).map(([name, value]) => (
        <span key={name} className="property">
          <span className="property-name">{name}</span>
          {textOf(value)}
        </span>
      ))}
    </span>
  );
}

const EVENT_COLOURS = ["cyan", "geekblue", "gold", "magenta", "green", "purple", "volcano", "lime"];

/** The same event has the same colour on every screen. */
function colourOf(name: string): string {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + char.codePointAt(0)!) >>> 0;
  return EVENT_COLOURS[sum % EVENT_COLOURS.length]!;
}

function personOf(row: Row): { text: string; title: string } {
  const ids = (row.ids ?? {}) as Record<string, unknown>;
  const login = ids.login ?? ids.user;
  const all = Object.entries(ids).map(([type, value]) => `${type}: ${textOf(value)}`);
  return { text: login ? textOf(login) : `#${row.person}`, title: all.join("\n") };
}

function matches(row: Row, wanted: string): boolean {
  const text = `${row.event} ${personOf(row).text} ${row.person}`.toLowerCase();
  return text.includes(wanted.toLowerCase());
}

function useColumns(language: string) {
  const { words } = useWords();
  return useMemo(() => {
    const clock = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      fractionalSecondDigits: 3,
    });
    return [
      {
        title: words.time,
        width: 132,
        render: (_: unknown, row: Row) => (
          <span className="time">{clock.format(new Date(row.time))}</span>
        ),
      },
      {
        title: words.event,
        width: 190,
        render: (_: unknown, row: Row) => <Tag color={colourOf(row.event)}>{row.event}</Tag>,
      },
      {
        title: words.person,
        width: 150,
        ellipsis: true,
        render: (_: unknown, row: Row) => (
          <span title={personOf(row).title}>{personOf(row).text}</span>
        ),
      },
      { title: words.properties, render: (_: unknown, row: Row) => <Properties row={row} /> },
    ];
  }, [words, language]);
}

function Pulse({ live }: { live: Live }) {
  const { words } = useWords();
  const option = useMemo(
    () => ({
      animation: false,
      grid: { left: 0, right: 0, top: 6, bottom: 0 },
      tooltip: { trigger: "axis", formatter: "{c}" },
      xAxis: {
        type: "category",
        show: false,
        data: live.perSecond.map((_, index) => index - SECONDS_SHOWN + 1),
      },
      yAxis: { type: "value", show: false, min: 0, minInterval: 1 },
      series: [
        {
          type: "bar",
          data: live.perSecond,
          barCategoryGap: "25%",
          itemStyle: { color: "#14b8a6", borderRadius: [2, 2, 0, 0] },
        },
      ],
    }),
    [live.perSecond],
  );
  return <Chart option={option} height={64} label={words.lastMinute} />;
}

function Numbers({ live, answer }: { live: Live; answer?: Answer }) {
  const { words } = useWords();
  const minute = live.perSecond.reduce((sum, count) => sum + count, 0);
  return (
    <div className="numbers">
      <Card>
        <Statistic
          title={words.eventsToday}
          value={answer ? valueOf(answer, "events") : "–"}
          data-test="events-today"
        />
      </Card>
      <Card>
        <Statistic
          title={words.personsToday}
          value={answer ? valueOf(answer, "persons") : "–"}
          data-test="persons-today"
        />
      </Card>
      <Card className="pulse">
        <Statistic title={words.perMinute} value={minute} />
        <Pulse live={live} />
      </Card>
    </div>
  );
}

export function LivePage({ live }: { live: Live }) {
  const { words, language } = useWords();
  const [wanted, setWanted] = useState("");
  const [round, setRound] = useState(0);
  const today = useToday(round);
  const columns = useColumns(language);
  const rows = wanted ? live.rows.filter((row) => matches(row, wanted)) : live.rows;
  const retry = () => {
    setRound(round + 1);
    live.reconnect();
  };
  const problem = live.problem ?? (today.problem instanceof Problem ? today.problem : undefined);
  const unreachable = live.state === "waiting" && !problem;

  return (
    <div className="page" data-test="live">
      {(problem || unreachable) && <ProblemView error={problem} onRetry={retry} />}
      <Numbers live={live} answer={today.answer} />
      <Card
        title={<Typography.Text strong>{words.live}</Typography.Text>}
        extra={<StreamBadge live={live} />}
        className="feed"
      >
        <Space wrap className="feed-tools">
          <Input.Search
            allowClear
            placeholder={words.filterEvents}
            onChange={(change) => setWanted(change.target.value)}
            className="filter"
          />
          <Button
            icon={live.paused ? <CaretRightOutlined /> : <PauseOutlined />}
            onClick={() => live.setPaused(!live.paused)}
          >
            {live.paused ? words.resume : words.pause}
          </Button>
          <Button icon={<ClearOutlined />} onClick={live.clear}>
            {words.clear}
          </Button>
          {live.paused && <span className="quiet">{words.pausedNote(live.held)}</span>}
        </Space>
        <Table<Row>
          size="small"
          rowKey="key"
          columns={columns}
          dataSource={rows}
          pagination={false}
          scroll={{ x: 760 }}
          locale={{
            emptyText: <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={words.noEvents} />,
          }}
        />
      </Card>
    </div>
  );
}
