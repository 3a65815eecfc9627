import { createServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { PalisadeError } from '#core/problem'

export interface Address {
  readonly host: string
  readonly port: number
  /** Setting that chooses the port, named in the error. */
  readonly flag: string
}

/** Before anything is made: a taken port must not leave a database behind that nobody asked for. */
export async function refuseTakenPort(address: Address): Promise<void> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(address.port, address.host, resolve)
    })
  } catch (cause) {
    throw listenError(cause, address)
  }
  await new Promise((resolve) => server.close(resolve))
}

export async function listen(app: FastifyInstance, address: Address): Promise<void> {
  try {
    await app.listen({ host: address.host, port: address.port })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    // A node without IPv6 has no "every address" of it.
    if (code === 'EAFNOSUPPORT' && address.host === '::') {
      return listen(app, { ...address, host: '0.0.0.0' })
    }
    throw listenError(cause, address)
  }
}

function listenError(cause: unknown, { host, port, flag }: Address): unknown {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') {
    return new PalisadeError('ERR_PORT_IN_USE', `port ${port} on ${host} is taken`, {
      cause,
      remedy: `stop what listens there (ss -ltnp 'sport = :${port}'), or choose another with ${flag}`,
    })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'EACCES') {
    return new PalisadeError('ERR_CONFIG_INVALID', `cannot listen on ${host}:${port} (${code})`, {
      cause,
      remedy: `choose an address of this machine, and a port from 1024 on, with ${flag}`,
    })
  }
  return cause
}
