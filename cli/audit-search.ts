import { Value } from 'typebox/value'
import { AuditQuery, type AuditPage, type FoundRecord } from '#api/rest/audit'
import { usageError, parseCall } from './command.ts'
import type { AskGateway } from './gateway.ts'
import { printable, printableJson } from './printable.ts'

const FILTERS = {
  tenant: { type: 'string' },
  actor: { type: 'string' },
  subject: { type: 'string' },
  request: { type: 'string' },
  address: { type: 'string' },
  type: { type: 'string', multiple: true },
  outcome: { type: 'string', multiple: true },
  from: { type: 'string' },
  to: { type: 'string' },
  limit: { type: 'string', default: '200' },
  json: { type: 'boolean', default: false },
} as const

/** Records on one page of the gateway. */
const PAGE = 200

export interface SearchDeps {
  readonly ask: () => Promise<AskGateway>
  readonly out: (line: string) => void
  /** Where it is told how far the looking went: not among the records. */
  readonly note: (line: string) => void
  /** What stands on standard input, for `--address -`. */
  readonly input: () => Promise<string>
}

/** Follows the pages of the gateway until there are enough records or no more. */
export async function searchLog(
  args: readonly string[],
  usage: string,
  order: 'newest' | 'oldest',
  { ask, out, note, input }: SearchDeps,
): Promise<void> {
  const { query, wanted, json } = await readCall(args, usage, input)
  const send = await ask()
  let left = wanted
  let after: string | undefined
  let cut: AuditPage['cutThrough']
  do {
    const body = { ...query, order, limit: Math.min(left, PAGE) }
    const page = (await send(
      '/api/v1/audit/search',
      after === undefined ? body : { ...body, after },
    )) as AuditPage
    for (const item of page.items) out(json ? printableJson(item) : lineOf(item))
    cut ??= page.cutThrough
    left -= page.items.length
    after = page.next
  } while (left > 0 && after !== undefined)
  if (cut) note(printable(cutLine(cut)))
  if (after !== undefined) note(`There may be more; --limit ${wanted} ended it.`)
}

const cutLine = ({ epoch, seq, sealedAt }: NonNullable<AuditPage['cutThrough']>) =>
  `Retention has cut the log through ${epoch}/${seq}, sealed at ${sealedAt}: older records are in the archive, not here.`

async function readCall(args: readonly string[], usage: string, input: SearchDeps['input']) {
  const { values, positionals } = parseCall(args, FILTERS, usage)
  const wanted = Number(values.limit)
  if (positionals.length > 0 || !Number.isSafeInteger(wanted) || wanted < 1) {
    throw usageError('filters are options, and --limit is a number from 1', usage)
  }
  const address = values.address === '-' ? (await input()).trim() : values.address
  const query = { ...queryOf(values), ...(address === undefined ? {} : { address }) }
  if (Value.Check(AuditQuery, query)) return { query, wanted, json: values.json }
  const [first] = Value.Errors(AuditQuery, query)
  const where = first ? `${first.instancePath} ${first.message}` : ''
  throw usageError(`a filter does not fit: ${where}`, usage)
}

function queryOf(values: {
  readonly [name: string]: string | boolean | string[] | undefined
}): Record<string, unknown> {
  const { tenant, actor, request, subject, type, outcome, from, to } = values
  const at = typeof subject === 'string' ? subject.indexOf('/') : -1
  const given = {
    ...{ tenant, actor, request, from, to, eventTypes: type, outcomes: outcome },
    subject:
      typeof subject === 'string'
        ? { kind: subject.slice(0, Math.max(at, 0)), id: subject.slice(at + 1) }
        : undefined,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/**
 * `time  event  outcome  who -> what  from where  request  place`, on one line whatever stands in it. A user agent is
 * what a client chose to send.
 */
export function lineOf({ id, record, place, personal }: FoundRecord): string {
  const sealed = place ? `${place.epoch}/${place.seq}` : 'not yet sealed'
  if (!record) return `${id}  DAMAGED: what lies there is no record  ${sealed}`
  const { time, eventType, outcome, code, actor, subject, request } = record
  const version = subject.version === undefined ? '' : `@${subject.version}`
  return printable(
    [
      time,
      eventType.padEnd(20),
      code === undefined ? outcome : `${outcome} ${code}`,
      `${actor.kind}/${actor.id} -> ${subject.kind}/${subject.id}${version}`,
      ...personal.map(whence),
      `request ${request.id}`,
      `record ${id}`,
      sealed,
    ].join('  '),
  )
}

function whence({ state, address, userAgent, reason }: FoundRecord['personal'][number]): string {
  if (state !== 'readable') return `from: ${state}`
  const said = reason === undefined ? '' : ` because "${reason}"`
  return `from ${address ?? 'nowhere known'}${userAgent === undefined ? '' : ` (${userAgent})`}${said}`
}
