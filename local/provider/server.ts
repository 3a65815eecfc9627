import { createServer, type AddressInfo } from 'node:net'
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
import type { Family } from './peer.ts'
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

/**
 * Serves the provider on a free port of the loopback interface. The engine can be told a port and no
 * credential, so who asks is looked up before the first byte of a connection is read.
 */
export async function serve(
  service: ProviderService,
  family: Family,
): Promise<{ port: number; close: () => void }> {
  const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 })
  const methods = service as unknown as Record<string, Method | undefined>
  const implementation: UntypedServiceImplementation = {}
  for (const name of Object.keys(providerService.ResourceProviderService)) {
    const method = methods[name]
    if (method) implementation[name] = handler(service, method)
  }
  server.addService(providerService.ResourceProviderService, implementation)
  const grpc = server.createConnectionInjector(ServerCredentials.createInsecure())
  const listener = createServer((socket) => {
    const refusal = family.refusalOf(socket)
    if (refusal === undefined) return grpc.injectConnection(socket)
    console.error(`ERR_PEER_REFUSED: a connection to the provider was closed: ${refusal}`)
    socket.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(0, '127.0.0.1', resolve)
  })
  const close = (): void => {
    listener.close()
    grpc.destroy()
    server.forceShutdown()
  }
  return { port: (listener.address() as AddressInfo).port, close }
}
