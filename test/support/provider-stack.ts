import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApiServer, type TestApiServer } from './apiserver.ts'
import { freePorts, startChild } from './child.ts'
import { readCheckpoint, type StateResource } from '../../local/stack/checkpoint.ts'
import { completeRequest, type StackRequest } from '../../local/stack/request.ts'
import { formatProgress, runStack, type Operation, type Outcome } from '../../local/stack/run.ts'
import { toolPath } from '../../local/tools/path.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures/provider')
const PROGRAMS = {
  program: join(FIXTURES, 'program/infra/index.ts'),
  operators: join(FIXTURES, 'operators/infra/index.ts'),
  listed: join(import.meta.dirname, 'listed-program.ts'),
} as const

/** An API server with the controllers that deletion needs: garbage collection and namespaces. */
export async function startTestCluster(): Promise<TestApiServer> {
  const server = await startApiServer()
  const [port = 0] = await freePorts(1)
  const controllers = startChild(
    await toolPath('kube-controller-manager'),
    [
      `--kubeconfig=${server.kubeconfigPath}`,
      '--controllers=garbage-collector-controller,namespace-controller',
      '--leader-elect=false',
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
    ],
    join(tmpdir(), `palisade-controllers-${process.pid}.log`),
  )
  const stop = server.stop.bind(server)
  return Object.assign(server, {
    stop: async () => {
      await controllers.stop()
      await rm(controllers.logPath, { force: true })
      await stop()
    },
  })
}

export interface TestStack extends AsyncDisposable {
  readonly request: StackRequest
  readonly lines: string[]
  run(
    operation: Operation,
    config?: Record<string, unknown>,
    signal?: AbortSignal,
  ): Promise<Outcome>
  resources(): Promise<readonly StateResource[]>
}

/** A stack with a state folder of its own over one of the programs of tests. */
export async function testStack(
  cluster: TestApiServer,
  program: keyof typeof PROGRAMS,
  project: string,
  wish: Partial<StackRequest> = {},
): Promise<TestStack> {
  const stateDir = await mkdtemp(join(tmpdir(), 'palisade-stack-'))
  const request = completeRequest({
    operation: 'up',
    program: PROGRAMS[program],
    project,
    stack: 'dev',
    stateDir,
    kubeconfig: cluster.kubeconfigPath,
    pulumi: await toolPath('pulumi'),
    helm: await toolPath('helm'),
    timeoutSeconds: 100,
    lockPatienceSeconds: 8,
    ...wish,
  })
  const lines: string[] = []
  return {
    request,
    lines,
    run: (operation, config, signal) =>
      runStack(
        { ...request, operation, config },
        {
          onProgress: (progress) => lines.push(formatProgress(progress)),
          onLine: (line) => lines.push(line),
          ...(signal ? { signal } : {}),
        },
      ),
    resources: async () => (await readCheckpoint(request)).latest?.resources ?? [],
    [Symbol.asyncDispose]: () => rm(stateDir, { recursive: true, force: true }),
  }
}
