import { setTimeout as sleep } from 'node:timers/promises'
import type { StepContext } from '../steps.ts'
import { Throttle } from '../throttle.ts'
import type { OurResources, Resource } from './our-resources.ts'

/** For how long nothing may move; ten thousand of them take longer than two, and the operator tells of each. */
const PATIENCE_MS = 20_000
const NOTE_EVERY_MS = 5_000

export interface Patience {
  readonly ms: number
  readonly everyMs: number
}

const labelOf = ({ namespace, name }: Resource): string => `${namespace}/${name}`

function someOf(resources: readonly Resource[]): string {
  const [named, more] = [resources.slice(0, 5), resources.length - 5]
  return `${named.map(labelOf).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/**
 * Our resources go while everything that they need still runs, and always go: what the operator may not let go by
 * itself it does once the backends are deleted, and what no operator lets go is let go here. Answers what became of
 * the credentials.
 */
export async function releaseAll(
  ours: OurResources,
  context: StepContext,
  patience: Patience = { ms: PATIENCE_MS, everyMs: 500 },
): Promise<string> {
  const all = await ours.list()
  await ours.remove()
  if (await ours.isOperatorThere()) await untilNoneMoves(ours, context, patience)
  await ours.removeBackends()
  if (await ours.isOperatorThere()) await untilNoneMoves(ours, context, patience)
  const forced = await letGoOfTheRest(ours)
  const notes = new Map((await ours.orphans()).map(({ uid, note }) => [uid, note]))
  for (const { uid } of forced)
    notes.set(uid, 'let go without its operator; its users stay as they are')
  const orphaned = all.filter(({ uid }) => notes.has(uid))
  return summary(
    all.length - orphaned.length,
    orphaned.map((one) => `${labelOf(one)}: ${notes.get(one.uid)}`),
  )
}

/** What somebody made meanwhile goes as well: without its operator nothing holds it from here on. */
export async function removeOperator(ours: OurResources): Promise<string> {
  await ours.removeOperator()
  await ours.remove()
  const late = await letGoOfTheRest(ours)
  await ours.forgetNumbers()
  return late.length === 0 ? 'ended' : `ended; let go of ${late.map(labelOf).join(', ')}`
}

/** Waits as long as they become fewer. */
async function untilNoneMoves(
  ours: OurResources,
  context: StepContext,
  { ms, everyMs }: Patience,
): Promise<void> {
  const notes = new Throttle(NOTE_EVERY_MS)
  let fewest = Infinity
  let end = Infinity
  for (;;) {
    const left = await ours.list()
    if (left.length === 0) return
    if (left.length < fewest) {
      fewest = left.length
      end = performance.now() + ms
    }
    if (performance.now() > end) return
    const line = `waiting for the operator to release ${someOf(left)}`
    if (notes.allows(line, performance.now())) context.note(line)
    await sleep(everyMs, undefined, { signal: context.signal })
  }
}

async function letGoOfTheRest(ours: OurResources): Promise<readonly Resource[]> {
  const left = await ours.list()
  for (const resource of left) await ours.letGo(resource)
  return left
}

function summary(released: number, orphaned: readonly string[]): string {
  if (released + orphaned.length === 0) return 'there were none'
  const lines = orphaned.map((line) => `\n         orphaned: ${line}`)
  return `${released} released, ${orphaned.length} orphaned${lines.join('')}`
}
