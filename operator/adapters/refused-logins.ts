import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import type { RefusalsSeen, RefusedClient, RefusedLogins } from '../ports.ts'
import { instantOfDate } from './server-log/instant.ts'
import { LogTail, type DatedRefusal, type Gap, type ReadPiece } from './server-log/tail.ts'

/** Where the logs of a backend's servers are. */
export interface ServerLogs {
  pods(backend: RotationBackend, signal: AbortSignal): Promise<readonly string[]>
  piece(backend: RotationBackend, pod: string, signal: AbortSignal): ReadPiece
}

const MOST_PODS = 16
const MOST_REFUSALS = 5_000
const MOST_BACKENDS = 64
const MOST_CLIENTS = 20
/** Passes that come within this time share one look. */
const FRESH_MS = 1_000
/** Nobody has asked for so long: the next one begins anew instead of reading what nobody waited for. */
const FORGOTTEN_MS = 120_000
const LOOK_MS = 15_000

const LACKS: Readonly<Record<Gap, string>> = {
  flooded: 'holds a second too full to be read',
  cut: 'begins anew, and what was in it before is gone',
  sampled: 'lacks records: too many came within a second',
}

interface Memory {
  from: bigint
  askedAt: number
  readonly tails: Map<string, LogTail>
  /** The server that went away last: what it wrote after the last look was never read. */
  gone: { readonly pod: string; readonly seenAt: bigint } | undefined
  readonly refusals: DatedRefusal[]
  /** `endedAt` is missing as long as it is under way. */
  look: { endedAt?: number; readonly done: Promise<string | undefined> } | undefined
}

/**
 * One reading of a backend's logs for all rotations that watch it. Nothing here stops a rotation: what cannot be
 * read is an answer.
 */
export function createRefusedLogins(
  logs: ServerLogs,
  own: () => ReadonlySet<string>,
  now: () => number = () => performance.now(),
  date: () => Date = () => new Date(),
): RefusedLogins {
  const memories = new Map<string, Memory>()

  function memoryOf({ metadata, spec }: RotationBackend, since: bigint): Memory {
    const key = JSON.stringify([metadata.name, metadata.uid, spec.serverLogs])
    const known = memories.get(key)
    const isUsable = known && known.from <= since && now() - known.askedAt < FORGOTTEN_MS
    const memory: Memory = isUsable
      ? known
      : {
          from: since,
          askedAt: 0,
          tails: new Map(),
          gone: undefined,
          refusals: [],
          look: undefined,
        }
    memory.askedAt = now()
    memories.delete(key)
    memories.set(key, memory)
    if (memories.size > MOST_BACKENDS) memories.delete(memories.keys().next().value ?? '')
    return memory
  }

  function recentLook(backend: RotationBackend, memory: Memory): Promise<string | undefined> {
    const { look: last } = memory
    const isFresh = last && (last.endedAt === undefined || now() - last.endedAt < FRESH_MS)
    if (isFresh) return last.done
    const next: NonNullable<Memory['look']> = { done: look(logs, backend, memory, date) }
    void next.done.then(() => (next.endedAt = now()))
    memory.look = next
    return next.done
  }

  return {
    async of(backend, role, since, signal): Promise<RefusalsSeen> {
      if (!backend.spec.serverLogs) {
        const message = `RotationBackend "${backend.metadata.name}" gives no spec.serverLogs`
        return { kind: 'unseen', reason: 'ServerLogsNotGiven', message }
      }
      const start = instantOfDate(since)
      const memory = memoryOf(backend, start)
      const problem = (await recentLook(backend, memory)) ?? lossSince(memory, start)
      signal.throwIfAborted()
      const clients = clientsIn(memory.refusals, role, start, own())
      // A client that one server has told of needs the user, whatever another one keeps to itself.
      if (clients.length > 0 || problem === undefined) return { kind: 'seen', clients }
      return { kind: 'unseen', reason: 'ServerLogsUnreadable', message: problem }
    },
  }
}

/** Undefined when every log was read to its end; otherwise what stood in the way, in words of our own. */
async function look(
  logs: ServerLogs,
  backend: RotationBackend,
  memory: Memory,
  date: () => Date,
): Promise<string | undefined> {
  const signal = AbortSignal.timeout(LOOK_MS)
  try {
    const pods = await logs.pods(backend, signal)
    for (const pod of memory.tails.keys()) {
      if (pods.includes(pod)) continue
      memory.tails.delete(pod)
      memory.gone = { pod, seenAt: instantOfDate(date()) }
    }
    if (pods.length === 0) return 'no pod has the labels of spec.serverLogs'
    const asked = pods.slice(0, MOST_PODS)
    const read = await Promise.allSettled(
      asked.map((pod) => {
        const tail = memory.tails.get(pod) ?? new LogTail(memory.from)
        memory.tails.set(pod, tail)
        return tail.advance(logs.piece(backend, pod, signal), (refusal) => keep(memory, refusal))
      }),
    )
    const unread = asked.filter((_, i) => read[i]?.status === 'rejected')
    if (unread.length > 0) return `the log of ${unread.join(', ')} cannot be read`
    if (pods.length > MOST_PODS)
      return `more than ${MOST_PODS} pods have the labels of spec.serverLogs`
    const behind = asked.filter((_, i) => read[i]?.status === 'fulfilled' && !read[i].value)
    return behind.length > 0
      ? `the log of ${behind.join(', ')} grows faster than it is read`
      : undefined
  } catch {
    return 'the pods of spec.serverLogs cannot be listed'
  }
}

/**
 * Whoever fills the log must not hide a refusal in it, and no new file may, so that a loss is told of as long as it may
 * matter.
 */
function lossSince({ tails, gone }: Memory, since: bigint): string | undefined {
  for (const gap of ['flooded', 'cut', 'sampled'] as const) {
    const pods = [...tails].filter(([, tail]) => tail.gapSince(since) === gap).map(([pod]) => pod)
    if (pods.length > 0) return `the log of ${pods.join(', ')} ${LACKS[gap]}`
  }
  return gone && gone.seenAt > since
    ? `${gone.pod} is gone, and the end of its log with it`
    : undefined
}

/** The newest ones: only a holder of a retired value can add to them. */
function keep({ refusals }: Memory, refusal: DatedRefusal): void {
  refusals.push(refusal)
  if (refusals.length > MOST_REFUSALS) refusals.splice(0, refusals.length - MOST_REFUSALS)
}

function clientsIn(
  refusals: readonly DatedRefusal[],
  role: string,
  since: bigint,
  own: ReadonlySet<string>,
): readonly RefusedClient[] {
  const counts = new Map<string, { count: number; last: bigint }>()
  for (const refusal of refusals) {
    if (refusal.role !== role || refusal.at < since || own.has(refusal.address)) continue
    const count = (counts.get(refusal.address)?.count ?? 0) + 1
    counts.set(refusal.address, { count, last: refusal.at })
  }
  return [...counts].slice(0, MOST_CLIENTS).map(([address, { count, last }]) => ({
    address,
    count,
    lastAt: new Date(Number(last / 1_000_000n)).toISOString(),
  }))
}
