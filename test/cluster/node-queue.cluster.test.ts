import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterNode } from '../../local/bare/inside.ts'
import { NODE } from '../../local/bare/layout.ts'
import { hasListener } from '../../local/bare/init/policy-queue.ts'

const run = promisify(execFile)
const home = mkdtempSync(join(tmpdir(), 'palisade-queue-'))
const state = join(home, 'palisade')
const env = { ...process.env, XDG_STATE_HOME: home, PALISADE_PORT_OFFSET: '3000' }
const main = join(import.meta.dirname, '../../local/main.ts')

/** Says that it tries, takes the queue as soon as it is free, says so, and holds it until it is ended (NFQNL_CFG_CMD_BIND). */
const TAKE = `
import socket, struct, time
body = struct.pack('!BBH', 0, 0, ${NODE.queue}) + struct.pack('=HH', 8, 1) + struct.pack('!BBH', 1, 0, 0)
message = struct.pack('=IHHII', 16 + len(body), 0x0302, 5, 1, 0) + body
link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
print('tries', flush=True)
while True:
    link.send(message)
    if struct.unpack_from('=i', link.recv(4096), 16)[0] == 0: break
    time.sleep(0.005)
print('taken', flush=True)
time.sleep(600)`

let enter: readonly string[]
const inNode = async (...argv: string[]): Promise<string> => {
  const [program = '', ...before] = enter
  return (await run(program, [...before, ...argv])).stdout
}
const agent = async (): Promise<string> =>
  (await inNode('pgrep', '-f', '^[^ ]*kube-network-policies ')).trim()
const isHeard = async (): Promise<boolean> =>
  hasListener(await inNode('cat', '/proc/net/netfilter/nfnetlink_queue'), NODE.queue)

beforeAll(async () => {
  await run(process.execPath, [main, 'up', '--cluster-only'], { env })
  enter = await enterNode(state)
})
afterAll(async () => {
  await run(process.execPath, [main, 'down'], { env })
  rmSync(home, { recursive: true, force: true })
})

describe('the agent that decides on connections of Pods', () => {
  it('is started again when the kernel did not give it its queue', async () => {
    await expect.poll(isHeard, { timeout: 60_000 }).toBe(true)
    const first = await agent()
    const [program = '', ...before] = enter
    const taker = spawn(program, [...before, 'python3', '-c', TAKE])
    // It may have ended before the one that ends it has told so.
    const closed = once(taker, 'close')
    let said = ''
    taker.stdout.on('data', (text: Buffer) => (said += text.toString()))
    const says = (word: string) => expect.poll(() => said, { timeout: 60_000 }).toContain(word)
    // Whoever comes after the agent would be faster than its start.
    await says('tries')
    await inNode('kill', '-KILL', first)
    await says('taken')
    const refused = 'cat /var/log/pods/kube-system_kube-network-policies-*/*/*.log'
    await expect
      .poll(() => inNode('sh', '-c', refused), { timeout: 60_000, interval: 500 })
      .toContain('could not open nfqueue socket')
    const second = await agent()
    expect(second).not.toBe(first)
    await inNode('pkill', '-KILL', 'python3')
    await closed
    const both = async () => [await isHeard(), (await agent()) === second]
    await expect.poll(both, { timeout: 90_000, interval: 500 }).toEqual([true, false])
    await expect
      .poll(() => readFileSync(join(state, 'logs/node.log'), 'utf8'))
      .toContain(`does not listen to queue ${NODE.queue}`)
  })
})
