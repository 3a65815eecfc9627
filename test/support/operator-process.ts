import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts, inTime } from './child.ts'
import type { RotationWorld } from './rotation-world.ts'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'operator/main.ts')

/** The operator as it is shipped, as a process of its own, so that it can be killed and stopped like one. */
export interface OperatorProcess {
  readonly identity: string
  readonly process: ChildProcess
  /** Everything it wrote, for what must not be in it. */
  output(): string
  signal(name: NodeJS.Signals): void
  /** Status of an answer to the kubelet; 0 while nobody answers. */
  probe(path: '/livez' | '/readyz'): Promise<number>
  /** Where it kills or stops itself from now on, such as `publishValue.after:kill@2`; an empty text disarms it. */
  arm(failpoint: string): Promise<void>
  /** How it ended: an exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  stop(): Promise<void>
}

export async function startOperator(
  world: RotationWorld,
  identity: string,
  env: Readonly<Record<string, string>> = {},
): Promise<OperatorProcess> {
  const [metrics = 0, probes = 0] = await freePorts(2)
  // Of its own, whatever it is called: who comes after a dead one must not find what that one was armed with.
  const failpoint = join(world.files.failpoints, `${identity}-${randomUUID()}`)
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      PALISADE_PROFILE: 'dev',
      PALISADE_CLUSTER_ID: 'test',
      POD_NAME: identity,
      POD_NAMESPACE: 'palisade-system',
      KUBECONFIG: world.files.kubeconfig,
      PALISADE_TLS_DIR: world.files.tlsDir,
      PALISADE_VAULT_ADDR: world.bao.address,
      PALISADE_VAULT_TOKEN_PATH: world.files.vaultToken,
      PALISADE_METRICS_PORT: String(metrics),
      PALISADE_PROBE_PORT: String(probes),
      PALISADE_POLL: '250ms',
      PALISADE_LEASE_RETRY: '200ms',
      PALISADE_FAILPOINT: `@${failpoint}`,
      NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/node-compile'),
      ...env,
    },
  })
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => chunks.push(text))
  }
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = once(child, 'exit').then(([code, signal]) => {
    process.off('exit', kill)
    return (signal ?? code) as number | NodeJS.Signals
  })
  return {
    identity,
    process: child,
    output: () => chunks.join(''),
    probe: (path) =>
      fetch(`http://127.0.0.1:${probes}${path}`, { signal: inTime() }).then(
        ({ status }) => status,
        () => 0,
      ),
    signal: (name) => void child.kill(name),
    async arm(text) {
      // In one piece: it may be read at any moment.
      await writeFile(`${failpoint}.new`, text)
      await rename(`${failpoint}.new`, failpoint)
    },
    ended,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      // A stopped process hears of it only when it goes on.
      child.kill('SIGCONT')
      const timer = setTimeout(kill, 10_000)
      await ended
      clearTimeout(timer)
    },
  }
}

/** Resolves when a process has been killed, by itself where it was armed, and fails when it goes on living. */
export async function killed(victim: OperatorProcess): Promise<void> {
  const ended = await Promise.race([victim.ended, sleep(60_000, 'alive', { ref: false })])
  assert.equal(ended, 'SIGKILL', victim.output())
}
