import { execFile, fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { TestApiServer } from '../../test/support/apiserver.ts'
import { listeners, processTree, shown } from '../../test/support/machine.ts'
import { startTestCluster, testStack, type TestStack } from '../../test/support/provider-stack.ts'
import { checkpointPath, readCheckpoint } from './checkpoint.ts'
import { pulumiDir } from './request.ts'

const NEVER = { 'pulumi.com/waitFor': 'jsonpath={.data.never}=yes' }
const configMap = (name: string, metadata: Record<string, unknown>) => ({
  type: 'kubernetes:core/v1:ConfigMap',
  name,
  inputs: { metadata: { namespace, ...metadata }, data: { a: '1' } },
})
const config = (annotations: Record<string, string> = {}) => ({
  'listed:resources': [
    configMap('fixed', { name: 'fixed', annotations }),
    configMap('drawn', { annotations }),
  ],
})

let cluster: TestApiServer
let stack: TestStack
// One of its own for each stack: a destroy after every test would take as long as the test.
let namespace = ''
let place = 0
beforeAll(async () => {
  cluster = await startTestCluster()
})
afterAll(() => cluster?.stop())
beforeEach(async () => {
  namespace = await cluster.namespace(`work-${(place += 1)}`)
  stack = await testStack(cluster, 'listed', 'listed')
})
afterEach(() => stack[Symbol.asyncDispose]())

const names = async (): Promise<string[]> => {
  const listed = await cluster.get(`/api/v1/namespaces/${namespace}/configmaps`)
  const items = listed.body['items'] as readonly { metadata: { name: string } }[]
  return items.map(({ metadata }) => metadata.name).filter((name) => /fixed|drawn/.test(name))
}
const uidOfFixed = () =>
  cluster.kubectl('get', 'cm', 'fixed', '-n', namespace, '-o', 'jsonpath={.metadata.uid}')
const lockFolder = () =>
  join(stack.request.stateDir, 'pulumi/.pulumi/locks/organization/listed/dev')
const locks = async (): Promise<string[]> => {
  const files = await readdir(lockFolder()).catch(() => [])
  return files.filter((name) => name.endsWith('.json'))
}

/** A run in a process group of its own that can be killed as a whole, engine and provider too. */
function startRun(): ChildProcess {
  const child = fork(join(import.meta.dirname, 'child.ts'), [], {
    execArgv: [],
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  child.send({ kind: 'run', request: { ...stack.request, operation: 'up', config: config(NEVER) } })
  return child
}

describe('up after an up that was killed', () => {
  it('takes away the lock, keeps what has a fixed name and removes the orphan of a drawn name', async () => {
    const child = startRun()
    await expect.poll(names, { timeout: 60_000 }).toHaveLength(2)
    process.kill(-(child.pid as number), 'SIGKILL')
    await once(child, 'exit')
    const before = await uidOfFixed()
    const orphan = (await names()).find((name) => name.includes('drawn'))
    expect(await locks()).toHaveLength(1)
    expect((await readCheckpoint(stack.request)).latest?.pending_operations).toHaveLength(2)

    const { changes } = await stack.run('up', config())
    expect(changes).toMatchObject({ create: 2 })
    expect(stack.lines).toContain('removed 1 locks of an interrupted run')
    expect(await uidOfFixed()).toBe(before)
    const after = await names()
    expect(after).toHaveLength(2)
    expect(after).not.toContain(orphan)
    expect((await stack.run('up', config())).changes).toEqual({ same: 3 })
    await stack.run('destroy')
    expect(await names()).toEqual([])
  })
})

describe('up after an engine that was killed while it wrote beside its state', () => {
  it('goes on from the state, of which every part is there, and leaves no draft', async () => {
    await stack.run('up', config())
    const state = checkpointPath(stack.request)
    const [whole, files] = [await readFile(state, 'utf8'), await readdir(dirname(state))]
    // The latter is written by the first run of all.
    const meta = join(pulumiDir(stack.request), '.pulumi', 'meta.yaml')
    for (const length of [0, 20]) {
      for (const path of [state, meta]) await writeFile(`${path}.attrs`, whole.slice(0, length))
      await writeFile(`${state}.18ec2393a22495ab.tmp`, whole.slice(0, length))
      expect((await stack.run('up', config())).changes).toEqual({ same: 3 })
    }
    expect((await readdir(dirname(state))).toSorted()).toEqual(files.toSorted())
  })
})

describe('up that is interrupted', () => {
  it('ends the engine in order, leaves no lock, and the next up goes on', async () => {
    const interrupt = new AbortController()
    const run = stack.run('up', config(NEVER), interrupt.signal)
    const refusal = expect(run).rejects.toMatchObject({ code: 'ERR_STACK_INTERRUPTED' })
    await expect
      .poll(() => stack.lines.join('\n'), { timeout: 60_000 })
      .toContain('waiting: data.never')
    interrupt.abort()
    await refusal
    expect(await locks()).toEqual([])
    await stack.run('up', config())
    expect(await names()).toHaveLength(2)
    expect((await stack.run('up', config())).changes).toEqual({ same: 3 })
  })
})

describe('up after a destroy that was cut off', () => {
  it('makes again what was taken away behind the back of the state', async () => {
    await stack.run('up', config())
    await cluster.kubectl('delete', 'cm', 'fixed', '-n', namespace)
    await stack.run('up', config())
    expect(await names()).toHaveLength(2)
    expect((await stack.run('up', config())).changes).toEqual({ same: 3 })
  })
})

describe('the processes of a run', () => {
  const interrupt = new AbortController()
  let run: Promise<unknown>
  beforeEach(async () => {
    process.env.PALISADE_TEST_TOKEN = 'caller-canary-4712'
    run = stack.run('up', config(NEVER), interrupt.signal).catch(() => {})
    await expect
      .poll(() => stack.lines.join('\n'), { timeout: 60_000 })
      .toContain('waiting: data.never')
  })
  afterEach(async () => {
    delete process.env.PALISADE_TEST_TOKEN
    interrupt.abort()
    await run
  })

  it("show neither the passphrase nor a secret of the caller's shell, and the provider answers no other user", async () => {
    const tree = processTree(process.pid).filter(({ pid }) => pid !== process.pid)
    const [environ, cmdline] = [shown(tree, 'environ'), shown(tree, 'cmdline')]
    expect(cmdline).toContain(`${stack.request.pulumi.split('/').at(-1)}\nup`)
    expect(cmdline).toContain('provider/main.ts')
    const passphrase = await readFile(join(stack.request.stateDir, 'pulumi/passphrase'), 'utf8')
    expect(environ).toContain('PULUMI_CONFIG_PASSPHRASE_FILE=')
    expect(environ).not.toContain('caller-canary-4712')
    expect(environ + cmdline).not.toContain(passphrase)

    const provider = tree.find((one) => shown([one], 'cmdline').includes('provider/main.ts'))
    const [open] = listeners(tree).filter(({ pid }) => pid === provider?.pid)
    // A server of gRPC speaks first: whoever is let in reads its settings.
    const knock = `exec 3<>/dev/tcp/127.0.0.1/${open?.port}; timeout 3 head -c 1 <&3 | wc -c`
    const nobody = { uid: 65_534, gid: 65_534 }
    const heard = await promisify(execFile)('bash', ['-c', knock], nobody)
    expect(heard.stdout.trim()).toBe('0')
  })
})

describe('locks', () => {
  it('waits for an engine that is about to end', async () => {
    await mkdir(lockFolder(), { recursive: true })
    const engine = spawn('sleep', ['60'])
    const lock = JSON.stringify({ pid: engine.pid, hostname: hostname() })
    await writeFile(join(lockFolder(), 'other.json'), lock)
    const run = stack.run('up', config())
    const told = `waiting for the engine of another run to end (process ${engine.pid})`
    await expect.poll(() => stack.lines, { timeout: 60_000 }).toContain(told)
    engine.kill('SIGKILL')
    expect((await run).changes).toMatchObject({ create: 3 })
  })
  it('refuses to run beside a living engine, naming its process', async () => {
    await stack[Symbol.asyncDispose]()
    stack = await testStack(cluster, 'listed', 'listed', { lockPatienceSeconds: 1 })
    await mkdir(lockFolder(), { recursive: true })
    const lock = join(lockFolder(), 'other.json')
    await writeFile(lock, JSON.stringify({ pid: process.pid, hostname: hostname() }))
    await expect(stack.run('up', config())).rejects.toMatchObject({
      code: 'ERR_STACK_LOCKED',
      message: expect.stringContaining(`process ${process.pid}`),
    })
    // A process that has ended: the highest id that Linux can give out is not in use here.
    await writeFile(lock, JSON.stringify({ pid: 4_194_303, hostname: hostname() }))
    expect((await stack.run('up', config())).changes).toMatchObject({ create: 3 })
  })
})

describe('state and configuration', () => {
  it('keeps the passphrase to its owner, a secret value out of the state, and no log of the engine', async () => {
    const secret = {
      type: 'kubernetes:core/v1:ConfigMap',
      name: 'odd',
      inputs: { metadata: { name: 'odd', namespace } },
      secretInputs: { data: { note: 'state-canary-4711' } },
    }
    await stack.run('up', { 'listed:resources': [secret] })
    const passphrase = join(stack.request.stateDir, 'pulumi/passphrase')
    expect((await stat(passphrase)).mode & 0o777).toBe(0o600)
    const state = await readFile(checkpointPath(stack.request), 'utf8')
    expect(state).toContain(`${namespace}/odd`)
    expect(state).not.toContain('state-canary-4711')
    // It would hold the properties of every resource.
    const home = await readdir(join(pulumiDir(stack.request), 'home'), { recursive: true })
    expect(home.filter((name) => name.endsWith('.log'))).toEqual([])
  })

  it('names what is wrong in one line when the program throws', async () => {
    await expect(stack.run('up', {})).rejects.toMatchObject({
      code: 'ERR_STACK',
      message: expect.stringContaining(
        "Missing required configuration variable 'listed:resources'",
      ),
    })
  })
})
