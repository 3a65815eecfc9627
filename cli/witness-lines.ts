import type { WitnessLine } from '#core/audit/expectations'

/** `<time> <stream> P|F <text>`, as the kubelet's container log files have it; P: the line goes on in the next one. */
const CRI = /^\d{4}-\d\d-\d\dT\S+ (stdout|stderr) ([PF])(?::\S*)? ?(.*)$/s

/** What `kubectl logs --all-pods` or `--prefix` puts before each line. */
const POD = /^\[pod\/[^\]\s]+\] /

/** A line in pieces that never ends must not grow for ever. */
const LONGEST = 1_048_576

/**
 * Finds the gateway's lines `{"audit": <id>, "leaf": <hex>}` among whatever else a log holds: as the gateway wrote
 * them, as kubectl shows those of several pods, in the kubelet's files (CRI), or in Docker's (`{"log": …, "stream": …}`).
 *
 * Only the fields of a line itself count, never a text within one: what a stranger sends may be quoted there, and
 * must not become a witness.
 */
export class WitnessReader {
  readonly #begun = new Map<string, string>()

  /** @returns undefined for a line that is no witness, or not yet whole */
  line(text: string): WitnessLine | undefined {
    const [, stream, tag, piece = ''] = CRI.exec(text) ?? []
    if (stream === undefined) return witnessIn(text.replace(POD, ''))
    const whole = `${this.#begun.get(stream) ?? ''}${piece}`
    this.#begun.delete(stream)
    if (tag === 'F') return witnessIn(whole)
    if (whole.length <= LONGEST) this.#begun.set(stream, whole)
    return undefined
  }
}

function witnessIn(text: string): WitnessLine | undefined {
  // Most lines are something else, and parsing is dear.
  if (!text.includes('leaf')) return undefined
  const line = fieldsOf(text)
  const { audit, leaf, log, stream } = line
  if (typeof log === 'string' && typeof stream === 'string' && leaf === undefined) {
    return witnessOf(fieldsOf(log))
  }
  return witnessOf({ audit, leaf })
}

function witnessOf({ audit, leaf }: Readonly<Record<string, unknown>>): WitnessLine | undefined {
  if (typeof audit !== 'string' || !/^[0-9a-f-]{36}$/.test(audit)) return undefined
  if (typeof leaf !== 'string' || !/^[0-9a-f]{64}$/.test(leaf)) return undefined
  return { id: audit, leaf: Buffer.from(leaf, 'hex') }
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
