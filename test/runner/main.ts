import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PARTS, type Part, type Step } from './parts.ts'
import { addCounts, NOTHING, summary, type Counts, type PartResult } from './report.ts'
import { runStep } from './run-step.ts'

/** "edge and data" is chosen by either of its words. */
const namesOf = ({ name }: Part) => name.split(' and ')
const only = process.argv.slice(2)
const unknown = only.filter((word) => !PARTS.some((part) => namesOf(part).includes(word)))
if (unknown.length > 0) {
  const names = PARTS.flatMap(namesOf).join(', ')
  console.error(`no part is called "${unknown.join(' ')}"; the parts are ${names}`)
  process.exit(2)
}
const reports = mkdtempSync(join(tmpdir(), 'palisade-test-'))

const results: PartResult[] = []
for (const part of PARTS) {
  const chosen = only.length === 0 || namesOf(part).some((name) => only.includes(name))
  if (chosen) results.push(await runPart(part))
}
rmSync(reports, { recursive: true, force: true })
const { text, ok } = summary(results)
console.log(text)
process.exit(ok ? 0 : 1)

/** Its minutes are those of the slowest lane, as a clock on the wall sees them. */
async function runPart(part: Part): Promise<PartResult> {
  const started = Date.now()
  const lanes = part.lanes.map((steps, lane) =>
    runLane(part, steps, part.lanes.length > 1 ? `${lane + 1}| ` : ''),
  )
  const counts = (await Promise.all(lanes)).reduce(addCounts, NOTHING)
  return { part, counts, minutes: (Date.now() - started) / 60_000 }
}

async function runLane(part: Part, steps: readonly Step[], prefix: string): Promise<Counts> {
  let counts = NOTHING
  for (const step of steps) {
    console.log(`\n${prefix}== ${part.name}: ${step.name}`)
    const at = Date.now()
    counts = addCounts(counts, await runStep(step, { reports, prefix }))
    console.log(`${prefix}-- ${step.name}: ${((Date.now() - at) / 1000).toFixed(0)} s`)
  }
  return counts
}
