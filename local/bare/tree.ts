import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, openSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startTicks } from '../process-stat.ts'
import { removeCgroups } from './cgroups.ts'
import { json } from './config.ts'
import { HOST_PORTS, type Layout, NODE_ENVIRONMENT, socketOf } from './layout.ts'
import { type ProcessRecord, recall, remember } from './process-record.ts'
import type { NodeSpec } from './spec.ts'

/** Node reaps only its own children; a shell as pid 1 reaps the container shims that are left to it. */
const INIT = `trap 'kill -TERM "$p"' TERM INT; "$@" & p=$!; wait "$p"; wait "$p"`
const NAMESPACES = ['--mount', '--pid', '--net', '--uts', '--ipc', '--fork', '--kill-child']
const STOP_MS = 40_000

const digestOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)

const recordOf = (layout: Layout, name: 'node' | 'relay'): string =>
  join(layout.run, `${name}.process.json`)

/** Starts a program that outlives this command and its terminal. */
function startDetached(layout: Layout, name: string, argv: readonly string[]): number {
  mkdirSync(layout.logs, { recursive: true, mode: 0o700 })
  const log = openSync(join(layout.logs, `${name}.log`), 'a', 0o600)
  const [program = '', ...args] = argv
  const env = NODE_ENVIRONMENT
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], cwd: '/', env })
  child.unref()
  if (child.pid === undefined) throw new Error(`${program} could not be started`)
  return child.pid
}

/** Starts the node unless the very same one runs already. */
export async function ensureTree(
  layout: Layout,
  spec: NodeSpec,
  configs: string,
): Promise<boolean> {
  const digest = digestOf([spec, configs, NODE_ENVIRONMENT])
  const running = await recall(recordOf(layout, 'node'))
  if (running?.digest === digest) return false
  if (running) await stopTree(layout)
  // What a killed node leaves: the kubelet would try each dead pod's cgroup for seconds before any pod starts.
  await removeCgroups()
  const specPath = join(layout.config, 'node.json')
  await writeFile(specPath, json(spec))
  const main = join(import.meta.dirname, 'init', 'main.ts')
  const init = ['sh', '-c', INIT, 'init', process.execPath, main, specPath, layout.state]
  const pid = startDetached(layout, 'node', ['unshare', ...NAMESPACES, '--mount-proc', ...init])
  await remember(recordOf(layout, 'node'), pid, digest)
  return true
}

/** Listens on the machine's loopback; started again when its code or ports changed. */
export async function ensureRelay(layout: Layout): Promise<boolean> {
  const main = join(import.meta.dirname, 'relay', 'main.ts')
  const digest = digestOf([
    HOST_PORTS,
    await readFile(main, 'utf8'),
    process.execPath,
    NODE_ENVIRONMENT,
  ])
  const running = await recall(recordOf(layout, 'relay'))
  if (running?.digest === digest) return false
  if (running) await end(running)
  const pid = startDetached(layout, 'relay', [process.execPath, main, layout.state])
  await remember(recordOf(layout, 'relay'), pid, digest)
  return true
}

export const runningNode = (layout: Layout): Promise<ProcessRecord | undefined> =>
  recall(recordOf(layout, 'node'))

export const runningRelay = (layout: Layout): Promise<ProcessRecord | undefined> =>
  recall(recordOf(layout, 'relay'))

/** Pid, as the machine sees it, of the first process inside the namespaces. */
export async function initPid(record: ProcessRecord): Promise<number | undefined> {
  const path = `/proc/${record.pid}/task/${record.pid}/children`
  const children = await readFile(path, 'utf8').catch(() => '')
  const [first] = children.trim().split(' ')
  return first ? Number(first) : undefined
}

/** Asks the init to stop its components in order; what has not ended by then ends with the namespace. */
export async function stopTree(layout: Layout): Promise<boolean> {
  const record = await runningNode(layout)
  if (record) {
    const init = await initPid(record)
    if (init !== undefined) await terminate(init, STOP_MS)
    await end(record)
  }
  await rm(recordOf(layout, 'node'), { force: true })
  for (const name of Object.keys(HOST_PORTS) as (keyof typeof HOST_PORTS)[]) {
    await rm(socketOf(layout, name), { force: true })
  }
  return record !== undefined
}

export async function stopRelay(layout: Layout): Promise<boolean> {
  const record = await runningRelay(layout)
  if (record) await end(record)
  await rm(recordOf(layout, 'relay'), { force: true })
  return record !== undefined
}

const end = (record: ProcessRecord): Promise<void> => terminate(record.pid, 5_000)

async function terminate(pid: number, graceMs: number): Promise<void> {
  if (!signal(pid, 'SIGTERM')) return
  for (let waited = 0; waited < graceMs; waited += 100) {
    await sleep(100)
    if (!(await isAlive(pid))) return
  }
  signal(pid, 'SIGKILL')
  while (await isAlive(pid)) await sleep(50)
}

const isAlive = async (pid: number): Promise<boolean> => (await startTicks(pid)) !== ''

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
