import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { kubeconfigPath } from '../../local/paths.ts'
import { toolPath } from '../../local/tools/path.ts'

const run = promisify(execFile)
const TARGET = ['-n', 'palisade-edge', 'deploy/edge'] as const

/** Another nginx beside the platform's own, in the same pod, with limits and an upstream of its own. */
export interface EdgeInstance {
  /** Ports of this machine that lead there. A forward that a reset has ended is opened again. */
  ports(): Promise<{ readonly plain: number; readonly tls: number }>
  stop(): Promise<void>
}

async function inEdgePod(command: readonly string[], input = ''): Promise<void> {
  const kubectl = await toolPath('kubectl')
  const child = run(kubectl, [
    '--kubeconfig',
    kubeconfigPath(),
    'exec',
    '-i',
    ...TARGET,
    '--',
    ...command,
  ])
  child.child.stdin?.end(input)
  await child
}

/** Free ports of this machine, forwarded to the given ports of the pod. */
async function forward(
  ports: readonly number[],
): Promise<{ local: number[]; child: ChildProcess }> {
  const child = spawn(
    await toolPath('kubectl'),
    [
      '--kubeconfig',
      kubeconfigPath(),
      'port-forward',
      ...TARGET,
      ...ports.map((port) => `:${port}`),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const local = new Map<number, number>()
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    for (const [, from, to] of text.matchAll(/127\.0\.0\.1:(\d+) -> (\d+)/g)) {
      local.set(Number(to), Number(from))
    }
  })
  while (local.size < ports.length) {
    const [ended] = await Promise.race([
      once(child.stdout, 'data').then(() => [false]),
      once(child, 'exit').then(() => [true]),
    ])
    if (ended) throw new Error('kubectl port-forward ended before it forwarded')
  }
  return { local: ports.map((port) => local.get(port) ?? 0), child }
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => socket.end(() => resolve(true)))
    socket.once('error', () => resolve(false))
  })

/** Starts the configuration in the edge's pod; it must name the given ports and nothing of the running one. */
export async function startEdgeInstance(
  name: string,
  config: string,
  ports: { readonly plain: number; readonly tls: number },
): Promise<EdgeInstance> {
  const path = `/tmp/${name}.conf`
  const own = config.replace('pid /tmp/nginx.pid;', `pid /tmp/${name}.pid;`)
  await inEdgePod(['sh', '-c', `cat > ${path}`], own)
  await inEdgePod(['nginx', '-e', 'stderr', '-t', '-c', path])
  await inEdgePod(['sh', '-c', `nginx -e stderr -c ${path} > /dev/null 2>&1`])
  let current = await forward([ports.plain, ports.tls])
  return {
    async ports() {
      if (!(await listens(current.local[0] ?? 0))) current = await forward([ports.plain, ports.tls])
      const [plain = 0, tls = 0] = current.local
      return { plain, tls }
    },
    async stop() {
      current.child.kill()
      await inEdgePod(['sh', '-c', `kill "$(cat /tmp/${name}.pid)"; rm -f ${path}`])
    },
  }
}
