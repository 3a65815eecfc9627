import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { kubeconfigPath } from '../../local/paths.ts'
import { toolPath } from '../../local/tools/path.ts'

export interface Forward {
  readonly port: number
  stop(): void
}

/** A port of a Pod on this machine; what comes through it reaches the program from its own loopback. */
export async function forward(
  namespace: string,
  pod: string,
  port: number,
  here: number | '' = '',
): Promise<Forward> {
  const child = spawn(
    await toolPath('kubectl'),
    ['--kubeconfig', kubeconfigPath(), 'port-forward', '-n', namespace, pod, `${here}:${port}`],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const [line = ''] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [
    Buffer | string | number,
  ]
  const [, local] = /127\.0\.0\.1:(\d+) ->/.exec(String(line)) ?? []
  if (local === undefined) throw new Error(`kubectl port-forward to ${pod} said: ${String(line)}`)
  return { port: Number(local), stop: () => void child.kill() }
}
