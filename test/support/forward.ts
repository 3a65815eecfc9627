import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { kubeconfigPath } from '../../local/paths.ts'
import { toolPath } from '../../local/tools/path.ts'

export interface Forward {
  readonly port: number
  stop(): void
}

interface Tunnel {
  readonly port: number
  readonly child: ChildProcess
}

const ATTEMPTS = 20
const OPEN_MS = 60_000

/**
 * A port of a Pod on this machine; what comes through it reaches the program from its own loopback. kubectl ends with
 * the first connection that is reset; a connection that comes later goes through a new one.
 */
export async function forward(
  namespace: string,
  pod: string,
  port: number,
  here = 0,
): Promise<Forward> {
  const start = () => openTunnel(namespace, pod, port)
  let tunnel = start()
  const live = async (): Promise<Tunnel> => {
    const known = tunnel
    const open = await known.then(isOpen, () => false)
    // Of several that find it closed one opens the next.
    if (!open && tunnel === known) tunnel = start()
    return tunnel
  }
  await tunnel
  const server = createServer((client) => {
    client.on('error', () => undefined)
    reach(live).then(
      (pod) => join(client, pod),
      () => client.destroy(),
    )
  })
  server.listen(here, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.close()
      void tunnel.then(
        ({ child }) => child.kill(),
        () => undefined,
      )
    },
  }
}

async function openTunnel(namespace: string, pod: string, port: number): Promise<Tunnel> {
  const child = spawn(
    await toolPath('kubectl'),
    ['--kubeconfig', kubeconfigPath(), 'port-forward', '-n', namespace, pod, `:${port}`],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const [line = ''] = (await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit'),
    sleep(OPEN_MS, ['nothing'], { ref: false }),
  ])) as [Buffer | string | number]
  const [, local] = /127\.0\.0\.1:(\d+) ->/.exec(String(line)) ?? []
  if (local === undefined) {
    child.kill()
    throw new Error(`kubectl port-forward to ${pod} said: ${String(line)}`)
  }
  return { port: Number(local), child }
}

const isOpen = ({ child }: Tunnel): boolean => child.exitCode === null && child.signalCode === null

/** A tunnel may end between the look at it and the connection. */
async function reach(live: () => Promise<Tunnel>): Promise<Socket> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const socket = connect((await live()).port, '127.0.0.1')
      await once(socket, 'connect')
      return socket
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      await sleep(250)
    }
  }
}

function join(client: Socket, pod: Socket): void {
  client.pipe(pod).pipe(client)
  client.on('error', () => pod.destroy())
  pod.on('error', () => client.destroy())
}
