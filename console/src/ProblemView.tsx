/* How every page shows that something did not work: what, where, and what to do. */
import { Alert, Button, Form, Input } from "antd";

import { Problem, setToken } from "./api";
import { useWords } from "./i18n";

function TokenForm(props: { onDone: () => void }) {
  const { words } = useWords();
  const use = ({ token }: { token: string }) => {
    setToken(token.trim());
    props.onDone();
  };
  return (
    <Form layout="inline" onFinish={use} className="token">
      <Form.Item name="token" label={words.token} rules={[{ required: true }]}>
        <Input.Password autoComplete="off" />
      </Form.Item>
      <Button htmlType="submit" type="primary">
        {words.useToken}
      </Button>
    </Form>
  );
}

export function ProblemView(props: { error: unknown; onRetry: () => void }) {
  const { words } = useWords();
  const problem = props.error instanceof Problem ? props.error : undefined;
  if (problem?.status === 401) {
    const form = <TokenForm onDone={props.onRetry} />;
    return <Alert type="warning" showIcon title={words.tokenHint} description={form} />;
  }
  if (!problem) {
    return <Alert type="error" showIcon title={words.unreachable} />;
  }
  const description = (
    <>
      {problem.detail && <div>{problem.detail}</div>}
      {problem.field && (
        <div>
          {words.field}: <code>{problem.field}</code>
        </div>
      )}
      {problem.fix && (
        <div>
          {words.fix}: {problem.fix}
        </div>
      )}
    </>
  );
  const title = problem.title || `${words.problem} (${problem.status})`;
  return <Alert type="error" showIcon title={title} description={description} />;
}
