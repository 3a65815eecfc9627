import { connect, type AddressInfo } from 'node:net'
import type { Server } from 'node:http'

const SILENCE_MS = 20_000

/** Sends a text as it is, which no client would do, and answers all that the server says until it hangs up. */
export function rawRequest(server: Server, text: string): Promise<string> {
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
    socket.setTimeout(SILENCE_MS, () => socket.destroy())
  })
}
