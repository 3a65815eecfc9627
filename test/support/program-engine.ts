import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename, dirname, join } from 'node:path'
import { Server, ServerCredentials, status, type ServerUnaryCall } from '@grpc/grpc-js'
import engineService from '@pulumi/pulumi/proto/engine_grpc_pb.js'
import engine from '@pulumi/pulumi/proto/engine_pb.js'
import resourceService from '@pulumi/pulumi/proto/resource_grpc_pb.js'
import resource from '@pulumi/pulumi/proto/resource_pb.js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'

const ROOT = join(import.meta.dirname, '../..')
/** What the official Node language host starts for a program; it comes with the SDK. */
const RUNNER = join(ROOT, 'node_modules/@pulumi/pulumi/cmd/run/index.js')

export interface ProgramRun {
  readonly code: number | null
  /** `type name` of each resource that the program asked for. */
  readonly resources: readonly string[]
  /** What the program told the engine, errors among it. */
  readonly told: string
}

type Handler = (
  call: ServerUnaryCall<never, unknown>,
  answer: (error: object | null, value?: unknown) => void,
) => void

/** The engine's side of a preview: takes every resource as it is asked for, and no question to a provider. */
function engineOf(resources: string[], told: string[]): Server {
  const done: Handler = (_, answer) => answer(null, new empty.Empty())
  const no: Handler = (_, answer) => answer({ code: status.UNIMPLEMENTED })
  const register: Handler = ({ request }, answer) => {
    const wish = request as InstanceType<typeof resource.RegisterResourceRequest>
    const [type, name] = [wish.getType(), wish.getName()]
    if (type !== 'pulumi:pulumi:Stack') resources.push(`${type} ${name}`)
    const response = new resource.RegisterResourceResponse()
    response.setUrn(`urn:pulumi:try::palisade::${type}::${name}`)
    const object = wish.getObject()
    if (object) response.setObject(object)
    answer(null, response)
  }
  const log: Handler = ({ request }, answer) => {
    told.push((request as InstanceType<typeof engine.LogRequest>).getMessage())
    answer(null, new empty.Empty())
  }
  const root: Handler = (_, answer) => answer(null, new engine.GetRootResourceResponse())
  const rooted: Handler = (_, answer) => answer(null, new engine.SetRootResourceResponse())
  const features: Handler = (_, answer) => answer(null, new resource.SupportsFeatureResponse())
  const server = new Server()
  const handlers = (service: object, own: Readonly<Record<string, Handler>>) =>
    server.addService(
      service as never,
      Object.fromEntries(Object.keys(service).map((name) => [name, own[name] ?? no])) as never,
    )
  handlers(resourceService.ResourceMonitorService, {
    supportsFeature: features,
    registerResource: register,
    registerResourceOutputs: done,
    signalAndWaitForShutdown: done,
  })
  handlers(engineService.EngineService, { log, getRootResource: root, setRootResource: rooted })
  return server
}

/** Runs a program as `pulumi preview` runs it: the SDK's own runner, with the arguments of the Node language host. */
export async function runProgram(
  main: string,
  config: Readonly<Record<string, unknown>>,
): Promise<ProgramRun> {
  const resources: string[] = []
  const told: string[] = []
  const server = engineOf(resources, told)
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  const texts = Object.entries(config).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  const program = join(ROOT, main)
  const address = `127.0.0.1:${port}`
  const args = [
    ...['--monitor', address, '--engine', address, '--project', 'palisade', '--stack', 'try'],
    ...['--root-directory', ROOT, '--pwd', dirname(program), '--parallel', '16', '--dry-run'],
  ]
  const child = spawn(process.execPath, [RUNNER, ...args, basename(program)], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      PULUMI_CONFIG: JSON.stringify(Object.fromEntries(texts)),
      PULUMI_NODEJS_TYPESCRIPT: 'false',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => told.push(part.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  server.forceShutdown()
  return { code, resources, told: told.join('\n') }
}
