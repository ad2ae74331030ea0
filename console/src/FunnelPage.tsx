import { ArrowUpOutlined, DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { AutoComplete, Button, Card, Form, InputNumber, Select, Space, Tooltip } from "antd";
import { DatePicker, Empty, Spin } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useMemo, useRef, useState } from "react";

import { type Answer, analyze } from "./api";
import { FunnelResult } from "./FunnelResult";
import { useWords } from "./i18n";
import { ProblemView } from "./ProblemView";
import { type FunnelQuestion, funnelQuery, localZone } from "./query";
import { useEventNames } from "./names";

const STEPS_MIN = 2;
const STEPS_MAX = 20;

interface Draft {
  steps: string[];
  window: number;
  windowUnit: FunnelQuestion["windowUnit"];
  range: [Dayjs, Dayjs];
  zone: string;
  order: FunnelQuestion["order"];
}

const zones: string[] = (() => {
  const known = Intl.supportedValuesOf?.("timeZone") ?? [];
  return [...new Set([localZone, "UTC", ...known])];
})();

function questionOf(draft: Draft): FunnelQuestion {
  return {
    steps: draft.steps.map((step) => step.trim()),
    window: draft.window,
    windowUnit: draft.windowUnit,
    from: draft.range[0].format("YYYY-MM-DD"),
    to: draft.range[1].format("YYYY-MM-DD"),
    zone: draft.zone,
    order: draft.order,
  };
}

function Steps({ names }: { names: string[] }) {
  const { words } = useWords();
  const options = names.map((value) => ({ value }));
  const required = { required: true, whitespace: true, message: words.stepPlaceholder };
  return (
    <Form.List name="steps">
      {(fields, { add, remove, move }) => (
        <div className="steps">
          {fields.map((field, index) => (
            <div key={field.key} className="step">
              <span className="step-number">{index + 1}</span>
              <Form.Item name={field.name} rules={[required]} className="step-name">
                <AutoComplete
                  options={options}
                  showSearch={{
                    filterOption: (typed, option) =>
                      (option?.value ?? "").toLowerCase().includes(typed.toLowerCase()),
                  }}
                  placeholder={words.stepPlaceholder}
                  aria-label={words.step(index + 1)}
                />
              </Form.Item>
              <Tooltip title={words.moveUp}>
                <Button
                  type="text"
                  icon={<ArrowUpOutlined />}
                  aria-label={words.moveUp}
                  disabled={index === 0}
                  onClick={() => move(index, index - 1)}
                />
              </Tooltip>
              <Tooltip title={words.removeStep}>
                <Button
                  type="text"
                  icon={<DeleteOutlined />}
                  aria-label={words.removeStep}
                  disabled={fields.length <= STEPS_MIN}
                  onClick={() => remove(field.name)}
                />
              </Tooltip>
            </div>
          ))}
          <Button
            type="dashed"
            icon={<PlusOutlined />}
            disabled={fields.length >= STEPS_MAX}
            onClick={() => add("")}
            block
          >
            {words.addStep}
          </Button>
        </div>
      )}
    </Form.List>
  );
}

function Settings() {
  const { words } = useWords();
  return (
    <>
      <Form.Item label={words.window} tooltip={words.windowHint}>
        <Space.Compact block>
          <Form.Item name="window" noStyle rules={[{ required: true }]}>
            <InputNumber min={1} max={3650} precision={0} className="grow" />
          </Form.Item>
          <Form.Item name="windowUnit" noStyle>
            <Select
              className="unit"
              options={[
                { value: "m", label: words.minutes },
                { value: "h", label: words.hours },
                { value: "d", label: words.days },
              ]}
            />
          </Form.Item>
        </Space.Compact>
      </Form.Item>
      <Form.Item
        label={words.range}
        tooltip={words.rangeHint}
        name="range"
        rules={[{ required: true }]}
      >
        <DatePicker.RangePicker allowClear={false} className="wide" />
      </Form.Item>
      <Form.Item label={words.zone} name="zone">
        <Select showSearch options={zones.map((value) => ({ value, label: value }))} />
      </Form.Item>
      <Form.Item label={words.order} name="order">
        <Select
          options={[
            { value: "gaps", label: words.orderGaps },
            { value: "strict", label: words.orderStrict },
            { value: "any", label: words.orderAny },
          ]}
        />
      </Form.Item>
    </>
  );
}

type Outcome =
  | { kind: "none" }
  | { kind: "asking" }
  | { kind: "problem"; error: unknown }
  | { kind: "answer"; answer: Answer; steps: string[] };

function OutcomeView({ outcome, onRetry }: { outcome: Outcome; onRetry: () => void }) {
  const { words } = useWords();
  switch (outcome.kind) {
    case "none":
      return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={words.notAsked} />;
    case "asking":
      return <Spin className="asking" size="large" />;
    case "problem":
      return <ProblemView error={outcome.error} onRetry={onRetry} />;
    case "answer":
      return <FunnelResult answer={outcome.answer} steps={outcome.steps} />;
  }
}

export function FunnelPage({ seen }: { seen: string[] }) {
  const { words } = useWords();
  const [form] = Form.useForm<Draft>();
  const [outcome, setOutcome] = useState<Outcome>({ kind: "none" });
  const asking = useRef<AbortController | null>(null);
  const names = useEventNames(seen);
  const initial = useMemo<Draft>(
    () => ({
      steps: ["", ""],
      window: 7,
      windowUnit: "d",
      range: [dayjs().subtract(29, "day"), dayjs()],
      zone: localZone,
      order: "gaps",
    }),
    [],
  );

  const ask = (draft: Draft) => {
    asking.current?.abort();
    const current = new AbortController();
    asking.current = current;
    setOutcome({ kind: "asking" });
    const question = questionOf(draft);
    analyze(funnelQuery(question), current.signal).then(
      (answer) => setOutcome({ kind: "answer", answer, steps: question.steps }),
      (error: unknown) => {
        if (!current.signal.aborted) setOutcome({ kind: "problem", error });
      },
    );
  };

  return (
    <div className="page funnel" data-test="funnel">
      <Card title={words.steps} className="builder">
        <Form form={form} layout="vertical" initialValues={initial} onFinish={ask}>
          <Steps names={names} />
          <Settings />
          <Button type="primary" htmlType="submit" block size="large">
            {words.ask}
          </Button>
        </Form>
      </Card>
      <Card title={words.funnel} className="result">
        <OutcomeView outcome={outcome} onRetry={form.submit} />
      </Card>
    </div>
  );
}
