import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { START } from './start.ts'

/** Stands where nginx would: its checks say what the case wants, and its start is written down. */
const NGINX = `#!/bin/sh
cd "$(dirname "$0")"
for word; do
  if [ "$word" = -t ]; then
    echo >> checks
    [ "$(wc -l < checks)" -gt "$KNOWN_AFTER" ] || { echo "$REASON"; exit 1; }
    exit 0
  fi
done
echo started > started
`
const UNKNOWN = 'nginx: [emerg] host not found in upstream "gateway:3000" in nginx.conf:57'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palisade-edge-start-'))
  writeFileSync(join(folder, 'nginx'), NGINX)
  chmodSync(join(folder, 'nginx'), 0o755)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** How often it was checked before it was started. */
async function checksBeforeStart(reason: string, knownAfter: number): Promise<number> {
  const [shell = '', ...args] = START
  const env = {
    PATH: `${folder}:/usr/bin:/bin`,
    REASON: reason,
    KNOWN_AFTER: String(knownAfter),
  }
  const child = spawn(shell, args, { env, stdio: 'ignore', detached: true })
  await once(child, 'exit')
  // The watch of the certificate would end with its pod.
  process.kill(-(child.pid ?? 0), 'SIGKILL')
  expect(existsSync(join(folder, 'started'))).toBe(true)
  return readFileSync(join(folder, 'checks'), 'utf8').length
}

describe('START', () => {
  it('starts nginx at once when the name of the gateway is known', async () => {
    expect(await checksBeforeStart('', 0)).toBe(1)
  })

  it('waits while the name of the gateway is not known', async () => {
    expect(await checksBeforeStart(UNKNOWN, 2)).toBe(3)
  })

  it('leaves every other mistake to nginx, which names it and ends', async () => {
    expect(await checksBeforeStart('nginx: [emerg] unknown directive "lissten"', 9)).toBe(1)
  })
})
