import type { ApiClient, Query } from './api-client.ts'
import { errorFromStatus } from './api-error.ts'

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: unknown
}

/** Nothing came for longer than a healthy server stays silent: the link is half-open or the server hangs. */
export class IdleWatchError extends Error {
  override readonly name = 'IdleWatchError'
}

export interface WatchOptions {
  readonly client: ApiClient
  readonly path: string
  readonly query: Query
  readonly idleMs: number
  readonly signal: AbortSignal
}

/**
 * Opens a watch and yields its events. Ends quietly when the server closes the stream at its time limit, throws
 * `ApiError` for an ERROR event and `IdleWatchError` when nothing, not even a bookmark, arrives within `idleMs`.
 */
export async function* watchEvents(options: WatchOptions): AsyncGenerator<WatchEvent> {
  const connection = new AbortController()
  const signal = AbortSignal.any([options.signal, connection.signal])
  const watchdog = new Watchdog(options.idleMs, () => {
    connection.abort(new IdleWatchError(`nothing arrived for ${options.idleMs} ms`))
  })
  try {
    watchdog.reset()
    const query = { ...options.query, watch: true, allowWatchBookmarks: true }
    const chunks = await options.client.stream(options.path, query, signal)
    for await (const line of lines(chunks, () => watchdog.reset())) {
      const event = JSON.parse(line) as WatchEvent
      if (event.type === 'ERROR') throw errorFromStatus(event.object, 500)
      yield event
    }
  } catch (error) {
    if (connection.signal.aborted) throw connection.signal.reason
    throw error
  } finally {
    watchdog.stop()
    connection.abort()
  }
}

class Watchdog {
  #timer: NodeJS.Timeout | undefined
  readonly #ms: number
  readonly #bark: () => void

  constructor(ms: number, bark: () => void) {
    this.#ms = ms
    this.#bark = bark
  }

  reset(): void {
    if (this.#timer) this.#timer.refresh()
    else this.#timer = setTimeout(this.#bark, this.#ms)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}

/** A chunk may end inside a line, and inside a UTF-8 sequence. */
async function* lines(
  chunks: AsyncIterable<Uint8Array>,
  onChunk: () => void,
): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    onChunk()
    rest += decoder.decode(chunk, { stream: true })
    const parts = rest.split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) if (line !== '') yield line
  }
}
