import {
  Server,
  ServerCredentials,
  status,
  type handleUnaryCall,
  type ServerErrorResponse,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { explain, LocalError } from '../errors.ts'
import { InitFailed } from './init-failed.ts'
import { providerService } from './proto.ts'
import type { ProviderService } from './service.ts'

function toServiceError(error: unknown): Partial<ServerErrorResponse> {
  if (error instanceof InitFailed) return error.toServiceError()
  if (!(error instanceof LocalError)) console.error(error)
  return { code: status.UNKNOWN, details: explain(error) }
}

type Method = (request: never) => unknown

/** Every method is a promise; what it throws becomes a gRPC error that the engine prints. */
const handler =
  (service: ProviderService, method: Method): handleUnaryCall<unknown, unknown> =>
  (call, answer) => {
    const run = async (): Promise<unknown> => method.call(service, call.request as never)
    run().then(
      (value) => answer(null, value),
      (error: unknown) => answer(toServiceError(error)),
    )
  }

/** Serves the provider on a free port of the loopback interface. */
export async function serve(
  service: ProviderService,
): Promise<{ port: number; close: () => void }> {
  const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 })
  const methods = service as unknown as Record<string, Method | undefined>
  const implementation: UntypedServiceImplementation = {}
  for (const name of Object.keys(providerService.ResourceProviderService)) {
    const method = methods[name]
    if (method) implementation[name] = handler(service, method)
  }
  server.addService(providerService.ResourceProviderService, implementation)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return { port, close: () => server.forceShutdown() }
}
