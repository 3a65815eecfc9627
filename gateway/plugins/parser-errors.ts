import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ErrorCode } from '#api/error-codes'
import { PalisadeError, toProblem } from '#core/problem'
import { SECURITY_HEADERS } from './security-headers.ts'

const CODE_OF_PARSER: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'ERR_HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'ERR_REQUEST_TIMEOUT',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'ERR_PAYLOAD_TOO_LARGE',
}

/**
 * Answers what Node's parser refuses, with the same headers and the same body as everything else, and closes: after
 * a message whose end is not known, the next bytes must not be read as a request.
 */
export function answerParserError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const code = CODE_OF_PARSER[error.code ?? ''] ?? 'ERR_BAD_REQUEST'
  const problem = toProblem(new PalisadeError(code, 'the request was refused by the HTTP parser'))
  const body = JSON.stringify(problem)
  const fields = Object.entries({
    ...SECURITY_HEADERS,
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  })
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
