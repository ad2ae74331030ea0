// free_port.mjs: a port for a server that goes and comes back: below those that the system gives to
// outgoing connections, which would take it meanwhile.
import { createServer } from 'node:net';

const PORTS_FROM = 10_000;
const PORTS_TO = 32_000;

const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

export async function freePort() {
  for (;;) {
    const port = PORTS_FROM + Math.floor(Math.random() * (PORTS_TO - PORTS_FROM));
    if (await isFree(port)) return port;
  }
}
