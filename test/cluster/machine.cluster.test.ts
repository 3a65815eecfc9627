import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProcessRecord } from '../../local/bare/process-record.ts'
import { lockPath } from '../../local/lock.ts'
import {
  cgroupsNamed,
  isListening,
  machineState,
  type MachineState,
  processesOf,
  processTree,
  shown,
  stillHeld,
  stillRunning,
} from '../support/machine.ts'
import { seeded } from '../support/seeded.ts'

// A cluster of its own beside the platform's: other ports, another cgroup, another state folder.
const OFFSET = 1000
const home = mkdtempSync(join(tmpdir(), 'palisade-machine-'))
const state = join(home, 'palisade')
const CANARY = 'caller-canary-4713'
const env = {
  ...process.env,
  XDG_STATE_HOME: home,
  PALISADE_PORT_OFFSET: String(OFFSET),
  AWS_SECRET_ACCESS_KEY: CANARY,
}

interface Ended {
  readonly code: number | null
  readonly text: string
}

function start(
  args: readonly string[],
  more: NodeJS.ProcessEnv = {},
  before: readonly string[] = [],
) {
  const main = join(import.meta.dirname, '..', '..', 'local', 'main.ts')
  const [program = '', ...rest] = [...before, process.execPath, main, ...args]
  const child = spawn(program, rest, { env: { ...env, ...more } })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code) => resolve({ code, text })),
  )
  return { child, ended }
}

const up = (): Promise<Ended> => start(['up', '--cluster-only']).ended
const down = (): Promise<Ended> => start(['down']).ended

/** Its output is the reason that the report shows when it did not work. */
async function worked(command: Promise<Ended>): Promise<string> {
  const { code, text } = await command
  expect(code, text).toBe(0)
  return text
}

const record = (name: 'node' | 'relay'): ProcessRecord =>
  JSON.parse(readFileSync(join(state, 'run', `${name}.process.json`), 'utf8')) as ProcessRecord

let before: MachineState
beforeAll(async () => {
  await down() // of a run that was killed
  before = await machineState()
})
afterAll(async () => {
  await down()
  rmSync(home, { recursive: true, force: true })
})

describe('up', () => {
  let first: { node: number; relay: number }

  it('brings a node to Ready on a machine without one', async () => {
    expect(await worked(up())).toContain('is Ready')
    first = { node: record('node').pid, relay: record('relay').pid }
  })

  it("shows no secret of the caller's shell in a process of the node or the relay", () => {
    const tree = [...processTree(first.node), ...processTree(first.relay)]
    const environ = shown(tree, 'environ')
    expect(shown(tree, 'cmdline')).toContain('containerd-shim')
    expect(environ).toContain('PALISADE_PORT_OFFSET=')
    expect(environ).not.toContain(CANARY)
  })

  it('leaves the same processes alone when it runs again', async () => {
    await worked(up())
    expect({ node: record('node').pid, relay: record('relay').pid }).toEqual(first)
  })

  it('replaces a node and a relay that were killed', async () => {
    const tree = processTree(first.node)
    process.kill(first.node, 'SIGKILL')
    process.kill(first.relay, 'SIGKILL')
    // The kernel ends a whole process namespace with its first process, which takes it a moment.
    await expect.poll(() => stillRunning(tree), { timeout: 60_000 }).toEqual([])
    expect(await worked(up())).toContain('is Ready')
    expect(record('node').pid).not.toBe(first.node)
    expect(await isListening(6443 + OFFSET)).toBe(true)
  })

  it('is repaired by the next when it was killed', async () => {
    await down()
    const { child, ended } = start(['up', '--cluster-only'])
    await sleep(seeded('PALISADE_KILL_SEED').between(300, 3_000))
    child.kill('SIGKILL')
    await ended
    expect(await worked(up())).toContain('is Ready')
  })

  it('refuses to run beside another one', async () => {
    const one = start(['up', '--cluster-only'])
    const held = () => existsSync(lockPath(state))
    await expect.poll(held, { timeout: 30_000, interval: 5 }).toBe(true)
    // It would be done before the other one has started, on a machine that is slow enough.
    one.child.kill('SIGSTOP')
    try {
      const other = await up()
      expect(other.text).toContain('ERR_BUSY')
      expect(other.code).toBe(1)
    } finally {
      one.child.kill('SIGCONT')
    }
    await worked(one.ended)
  })
})

describe('down', () => {
  it('leaves no process, namespace, cgroup, listener, mount, link, address, rule, set, loop device, file or setting behind, nor a cache that it is to purge', async () => {
    await worked(up())
    const processes = [...processTree(record('node').pid), ...processTree(record('relay').pid)]
    const namespaces = new Set(processes.flatMap((one) => one.namespaces))
    expect(processes.length).toBeGreaterThan(10)
    expect(namespaces.size).toBeGreaterThan(5)
    expect(cgroupsNamed(`palisade-${OFFSET}`)).not.toEqual([])

    await worked(start(['down', '--keep']).ended)
    // Each part ended when it was asked to: nothing that it had begun is lost, and nobody waited for it in vain.
    const log = readFileSync(join(state, 'logs', 'node.log'), 'utf8')
    expect(log).toMatch(/kube-apiserver stopped after/)
    expect(log).not.toMatch(/killed after/)
    // With a cache of its own: the tools of this machine take half an hour to compile.
    const cache = join(home, 'cache', 'palisade')
    mkdirSync(join(cache, 'tools', 'digest'), { recursive: true })
    writeFileSync(join(cache, 'tools', 'digest', 'kubectl'), '')
    const { ended } = start(['down', '--purge'], { XDG_CACHE_HOME: join(home, 'cache') })
    expect(await worked(ended)).toContain(`${cache} deleted`)
    expect(existsSync(cache)).toBe(false)
    expect(stillRunning(processes)).toEqual([])
    expect(stillHeld(namespaces)).toEqual([])
    expect(cgroupsNamed(`palisade-${OFFSET}`)).toEqual([])
    expect(await isListening(6443 + OFFSET)).toBe(false)
    expect(existsSync(state)).toBe(false)
    expect(processesOf(home)).toEqual([])
    expect(await machineState()).toEqual(before)
  })

  it('ends well where nothing runs', async () => {
    await worked(down())
  })
})

describe('up on a machine that cannot carry it', () => {
  const refused = async (code: string, result: Promise<Ended>): Promise<void> => {
    const { code: exit, text } = await result
    expect(text).toContain(code)
    expect(text).toContain('→')
    expect(exit).toBe(1)
    expect(existsSync(join(state, 'node'))).toBe(false)
    expect(existsSync(join(state, 'run'))).toBe(false)
  }

  it('names the port that another program holds, and makes nothing', async () => {
    const server = createServer().listen(8443 + OFFSET, '127.0.0.1')
    await once(server, 'listening')
    await refused('ERR_PORT_TAKEN', start(['up', '--cluster-only']).ended).finally(() =>
      server.close(),
    )
  })

  it('names a program that is missing', async () => {
    const PATH = join(home, 'empty')
    await refused('ERR_PROGRAM_MISSING', start(['up', '--cluster-only'], { PATH }).ended)
  })

  it('names what only root may do', async () => {
    // In a user namespace that maps nobody, whoever it is has no rights on the machine.
    await refused('ERR_NOT_ROOT', start(['up', '--cluster-only'], {}, ['unshare', '--user']).ended)
  })

  it('names the folder on a disk that has no space left', async () => {
    const small = join(home, 'small')
    mkdirSync(small)
    const mounted = 'mount -t tmpfs -o size=64m none "$0" && exec "$@"'
    const inside = ['unshare', '--mount', 'sh', '-c', mounted, small]
    const cache = { XDG_CACHE_HOME: small }
    const result = start(['up', '--cluster-only'], cache, inside).ended
    await refused('ERR_DISK_SPACE', result)
    expect((await result).text).toContain(`${small}/palisade has 0.1 GiB free`)
  })
})

describe('destroy', () => {
  const refused = async (code: string): Promise<void> => {
    const ended = await start(['destroy']).ended
    expect(ended).toMatchObject({ code: 1, text: expect.stringContaining(code) })
    expect(ended.text).toContain('→')
  }

  it('says that there is no platform where none was made', async () => {
    await refused('ERR_NO_PLATFORM')
  })

  it('is refused before the first object goes when passphrase or cluster is missing', async () => {
    const stacks = join(state, 'pulumi', '.pulumi', 'stacks', 'palisade')
    mkdirSync(stacks, { recursive: true })
    writeFileSync(join(stacks, 'local.json'), '{}')
    await refused('ERR_PASSPHRASE_MISSING')
    writeFileSync(join(state, 'pulumi', 'passphrase'), 'x', { mode: 0o600 })
    await refused('ERR_CLUSTER_DOWN')
    await worked(down())
    expect(existsSync(state)).toBe(false)
  })
})
