import { PalisadeError } from '#core/problem'

/**
 * What a log line tells about an error. The cause of ours is left out: it is the words of a server, which may
 * quote a statement; so is everything an error object carries besides, such as a request with its headers.
 */
export function errorForLog(error: unknown): object {
  if (error instanceof PalisadeError) {
    return { code: error.code, message: error.message, ...causeOf(error) }
  }
  if (error instanceof Error)
    return { type: error.name, message: error.message, stack: error.stack }
  return { type: typeof error }
}

/** The code of the cause helps to find a fault, and is a word of a closed list. */
function causeOf(error: PalisadeError): { cause?: string } {
  const code = (error.cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? { cause: code } : {}
}
