import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runLanes, type Lane } from './lanes.ts'
import { PARTS, PLATFORM, type Part, type Step } from './parts.ts'
import { addCounts, NOTHING, summary, type Counts, type PartResult } from './report.ts'
import { runStep } from './run-step.ts'

const PREFIX: Readonly<Record<Lane, string>> = { apart: '1| ', onPlatform: '2| ', beside: '3| ' }

/** "edge and data" is chosen by either of its words. */
const namesOf = ({ name }: Part) => name.split(' and ')
const only = process.argv.slice(2)
const unknown = only.filter(
  (word) => ![PLATFORM, ...PARTS].some((part) => namesOf(part).includes(word)),
)
if (unknown.length > 0) {
  const names = [PLATFORM, ...PARTS].flatMap(namesOf).join(', ')
  console.error(`no part is called "${unknown.join(' ')}"; the parts are ${names}`)
  process.exit(2)
}
const reports = mkdtempSync(join(tmpdir(), 'palisade-test-'))

const isChosen = (part: Part) => only.length === 0 || namesOf(part).some((n) => only.includes(n))
const spent = new Map<Part, Readonly<Record<Lane, number>> & { readonly counts: Counts }>()

const begunAt = Date.now()
if (isChosen(PLATFORM)) await runLanes([PLATFORM], run)
const startedAt = Date.now()
await runLanes(PARTS.filter(isChosen), run)
const minutesSince = (at: number) => (Date.now() - at) / 60_000
const [minutes, inAll] = [minutesSince(startedAt), minutesSince(begunAt)]
rmSync(reports, { recursive: true, force: true })

const results = [...spent].map(([part, { counts, apart, onPlatform, beside }]): PartResult => ({
  part,
  counts,
  minutes: Math.max(apart, onPlatform + beside) / 60_000,
}))
const { text, ok } = summary(results, minutes, inAll)
console.log(text)
process.exit(ok ? 0 : 1)

async function run(part: Part, step: Step, lane: Lane): Promise<void> {
  const prefix = PREFIX[lane]
  console.log(`\n${prefix}== ${part.name}: ${step.name}`)
  const at = Date.now()
  const counts = await runStep(step, { reports, prefix })
  const took = Date.now() - at
  console.log(`${prefix}-- ${step.name}: ${(took / 1000).toFixed(0)} s`)
  const before = spent.get(part) ?? { counts: NOTHING, apart: 0, onPlatform: 0, beside: 0 }
  const counted = addCounts(before.counts, counts)
  spent.set(part, { ...before, counts: counted, [lane]: before[lane] + took })
}
