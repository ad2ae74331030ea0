// browser.mjs: a real Chromium with a profile of its own, and a way to kill all of it at once.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const newProfile = () => mkdtempSync(join(tmpdir(), 'cairn-profile-'));
export const dropProfile = (profile) =>
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });

export function launch(profile) {
  return chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    headless: true,
    args: ARGS,
  });
}

function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, tail] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(/\) /);
        return [{ pid: Number(pid), parent: Number(tail.split(' ')[1]) }];
      } catch {
        return []; // gone meanwhile
      }
    });
}

/** kill -9 of the browser of this profile and of every process below it, found by parentage. */
export function killBrowser(profile) {
  const all = processes();
  const roots = all.filter(({ pid }) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`--user-data-dir=${profile}`);
    } catch {
      return false;
    }
  });
  const doomed = new Set(roots.map(({ pid }) => pid));
  for (let grown = true; grown;) {
    grown = false;
    for (const { pid, parent } of all) {
      if (doomed.has(parent) && !doomed.has(pid)) grown = doomed.add(pid).size > 0;
    }
  }
  for (const pid of doomed) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // gone meanwhile
    }
  }
  return doomed.size;
}
