/** A login that was turned away although its value was right: the login of that user is closed. */
export interface Refusal {
  readonly role: string
  /** Of the client, or `unknown` where the log does not say it. */
  readonly address: string
}

const NAME = '[^"\\n]{1,63}'
/**
 * PostgreSQL judges the value first and then whether the user may log in, so this sentence proves that the client
 * holds the value. A wrong value (28P01) and a client that no rule lets in (28000 as well) are answered in other
 * words: anybody can cause those, and opening the login again would help neither.
 */
const CLOSED = new RegExp(`^role "(${NAME})" is not permitted to log in$`)
const CLOSED_STATE = '28000'

/** Addresses by process: the plain form says them in another line than the refusal. */
const MOST_PROCESSES = 1_000

/** Reads the log of one server line by line. Nothing of a line leaves it but the role and the address. */
export class RefusalReader {
  readonly #addresses = new Map<string, string>()

  read(line: string): Refusal | undefined {
    return line.startsWith('{') ? structured(line) : this.#plain(line)
  }

  /**
   * Begins with the time: continuation lines, whose text a client may choose, begin with a tab. The first severity of
   * the line is the server's own, so a user or application that is named like one proves nothing.
   */
  #plain(line: string): Refusal | undefined {
    const found =
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* \S+ (?:\[(\d+)\] )?.*?\b(LOG|FATAL|[A-Z]{4,7}\d?): {2}(.*)$/.exec(
        line,
      )
    const [, process = '', severity, message = ''] = found ?? []
    if (severity === 'LOG') this.#remember(process, message)
    if (severity !== 'FATAL') return undefined
    const role = CLOSED.exec(message)?.[1]
    return role === undefined
      ? undefined
      : { role, address: this.#addresses.get(process) ?? 'unknown' }
  }

  #remember(process: string, message: string): void {
    const host = /^connection received: host=([0-9a-fA-F.:]{2,45})(?: port=\d+)?$/.exec(
      message,
    )?.[1]
    if (host === undefined) return
    this.#addresses.delete(process)
    this.#addresses.set(process, host)
    if (this.#addresses.size > MOST_PROCESSES)
      this.#addresses.delete(this.#addresses.keys().next().value ?? '')
  }
}

/** A line of CloudNativePG: the server's record as JSON, in which no text of a client can pose as a field. */
function structured(line: string): Refusal | undefined {
  if (!line.includes(CLOSED_STATE)) return undefined
  const record = recordOf(line)
  if (record?.['error_severity'] !== 'FATAL' || record['sql_state_code'] !== CLOSED_STATE)
    return undefined
  const { user_name: user, message, connection_from: from } = record
  const role = typeof message === 'string' ? CLOSED.exec(message)?.[1] : undefined
  if (role === undefined || role !== user) return undefined
  return { role, address: addressIn(from) }
}

function recordOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const { logger, record } = JSON.parse(line) as { logger?: unknown; record?: unknown }
    return logger === 'postgres' && typeof record === 'object' && record !== null
      ? (record as Record<string, unknown>)
      : undefined
  } catch {
    // Cut off, or not a line of the server: what is not understood says nothing.
    return undefined
  }
}

/** `10.244.0.7:41234`, `fd00::7:41234` or `[local]`: the address without the port. */
function addressIn(from: unknown): string {
  const found = typeof from === 'string' ? /^([0-9a-fA-F.:]{2,45}):\d+$/.exec(from) : undefined
  return found?.[1] ?? 'unknown'
}
