import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { kubeconfigPath } from '../../local/paths.ts'
import { toolPath } from '../../local/tools/path.ts'
import { forward } from './forward.ts'

const run = promisify(execFile)
const NAMESPACE = 'palisade-edge'
const TARGET = 'deploy/edge'

/** Another nginx beside the platform's own, in the same pod, with limits and an upstream of its own. */
export interface EdgeInstance {
  /** Ports of this machine that lead there. */
  readonly ports: { readonly plain: number; readonly tls: number }
  stop(): Promise<void>
}

async function inEdgePod(command: readonly string[], input = ''): Promise<void> {
  const kubectl = await toolPath('kubectl')
  const child = run(kubectl, [
    '--kubeconfig',
    kubeconfigPath(),
    'exec',
    '-i',
    '-n',
    NAMESPACE,
    TARGET,
    '--',
    ...command,
  ])
  child.child.stdin?.end(input)
  await child
}

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
  const plain = await forward(NAMESPACE, TARGET, ports.plain)
  const tls = await forward(NAMESPACE, TARGET, ports.tls)
  return {
    ports: { plain: plain.port, tls: tls.port },
    async stop() {
      plain.stop()
      tls.stop()
      await inEdgePod(['sh', '-c', `kill "$(cat /tmp/${name}.pid)"; rm -f ${path}`])
    },
  }
}
