import { onNode } from './cluster.ts'

/** `refused`: it came as far as a port where nobody listens. `denied`: it was dropped on the way. */
export type Outcome = 'open' | 'refused' | 'denied' | 'unreachable'

export interface Attempt {
  /** A process of the Pod that connects; absent: the node itself, which no policy concerns. */
  readonly pid?: number
  readonly host: string
  readonly port: number
  /** UDP is asked a question of DNS, since only an answer shows that it was let through. */
  readonly protocol?: 'tcp' | 'udp'
}

const SECONDS = 4
/** The name servers of the root: a question that each name server answers, if only with a refusal. */
const DNS_QUESTION = String.raw`\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01`
/** timeout(1) tells that it had to end the program: what a dropped packet looks like. */
const TIMED_OUT = 124

const script = ({ host, port, protocol = 'tcp' }: Attempt): string =>
  protocol === 'tcp'
    ? `exec 3<>/dev/tcp/${host}/${port}`
    : `exec 3<>/dev/udp/${host}/${port}; printf "${DNS_QUESTION}" >&3; head -c 1 <&3 >/dev/null`

const line = (attempt: Attempt, index: number): string => {
  const enter = attempt.pid === undefined ? '' : `nsenter -t ${attempt.pid} -n `
  const run = `${enter}timeout ${SECONDS} bash -c '${script(attempt)}' 2>&1`
  return `(told=$(${run}); code=$?; echo ${index} $code $(echo "$told" | grep -c refused)) &`
}

const outcomeOf = (code: number, refused: boolean): Outcome => {
  if (code === 0) return 'open'
  if (code === TIMED_OUT) return 'denied'
  return refused ? 'refused' : 'unreachable'
}

/** Tries all connections side by side, each from inside its Pod's network. */
export async function reach(attempts: readonly Attempt[]): Promise<Outcome[]> {
  const answer = await onNode('bash', '-c', [...attempts.map(line), 'wait'].join('\n'))
  const outcomes = new Map(
    answer
      .trim()
      .split('\n')
      .map((row) => {
        const [index, code = 1, refusals = 0] = row.split(' ').map(Number)
        return [index, outcomeOf(code, refusals > 0)] as const
      }),
  )
  return attempts.map((_, index) => {
    const outcome = outcomes.get(index)
    if (outcome === undefined) throw new Error(`attempt ${index} left no answer`)
    return outcome
  })
}

/**
 * A process in each Pod, by the Pod's uid, which stands in the path of its control group. The oldest, which stays:
 * others may be what a probe or a loop has just started.
 */
export async function pidsOf(uids: readonly string[]): Promise<Map<string, number>> {
  const found = await onNode(
    'bash',
    '-c',
    `grep -HoE '${uids.join('|')}' /proc/[0-9]*/cgroup 2>/dev/null || true`,
  )
  const pids = new Map<string, number>()
  for (const row of found.split('\n')) {
    const [, pid, uid] = /^\/proc\/(\d+)\/cgroup:(.+)$/.exec(row) ?? []
    if (pid === undefined || uid === undefined) continue
    pids.set(uid, Math.min(Number(pid), pids.get(uid) ?? Infinity))
  }
  return pids
}
