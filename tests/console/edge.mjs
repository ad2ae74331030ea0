// edge.mjs: a real cairn-edge on free ports with a data folder of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free_port.mjs";

const root = new URL("../../", import.meta.url).pathname;
const START_MS_MAX = 30_000;
export const WRITE_KEY = "console-test-key";

function config(data, publicPort, adminPort) {
  return `data_dir: ${data}
public_listen: 127.0.0.1:${publicPort}
admin_listen: 127.0.0.1:${adminPort}
console_dir: ${root}console/dist
projects:
  - name: test
    write_key: ${WRITE_KEY}
`;
}

export async function startEdge() {
  const folder = mkdtempSync(join(tmpdir(), "cairn-console-"));
  const [publicPort, adminPort] = [await freePort(), await freePort()];
  const configPath = join(folder, "edge.yaml");
  writeFileSync(configPath, config(join(folder, "data"), publicPort, adminPort));
  const logPath = join(folder, "edge.log");
  const log = openSync(logPath, "a");
  const binary = join(process.env.CAIRN_BIN ?? `${root}build/dev/bin`, "cairn-edge");
  const child = spawn(binary, ["--config", configPath], { stdio: ["ignore", log, log] });
  closeSync(log);
  const admin = `http://127.0.0.1:${adminPort}`;
  const end = Date.now() + START_MS_MAX;
  for (;;) {
    const ready = await fetch(`${admin}/readyz`).then((answer) => answer.ok, () => false);
    if (ready) break;
    if (child.exitCode !== null || Date.now() > end) {
      throw new Error(`the edge did not start:\n${readFileSync(logPath, "utf8")}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  return {
    admin,
    public: `http://127.0.0.1:${publicPort}`,
    /** Drains; the exit code. */
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const [code] = await ended;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}
