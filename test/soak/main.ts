// `make soak ARGS="--kills 100 --seed 7"`: the crash suite with full numbers, at places that a seed draws.
// With --audit it is gateways and sealers that are killed; with --flood one gateway is flooded with forged tokens.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadNow, machineOf } from '../../bench/quiet.ts'
import { PLACES } from '../support/crash-places.ts'
import { CrashWorld } from '../support/crash-world.ts'
import { soakAudit } from './audit.ts'
import { soakFlood } from './flood.ts'
import { planOf, type Deaths } from './plan.ts'
import { isGood, page, type Kill, type SoakResult } from './result.ts'

const ROOT = join(import.meta.dirname, '../..')
const RESULTS = join(ROOT, 'bench/results')
/** Nobody takes the audit entries here, and a record keeps 2,000 at most: a new world before they are all in use. */
const KILLS_PER_WORLD = 100

const { values } = parseArgs({
  options: {
    audit: { type: 'boolean', default: false },
    flood: { type: 'boolean', default: false },
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const [asked, seed] = [Number(values.kills), Number(values.seed)]
if (!Number.isInteger(asked) || asked < 1 || !Number.isInteger(seed)) {
  console.error('--kills is a whole number from 1 on, --seed a whole number')
  process.exit(2)
}

if (values.flood) process.exit((await soakFlood(RESULTS)) ? 0 : 1)
if (values.audit) process.exit((await soakAudit(asked, seed, RESULTS)) ? 0 : 1)

const startedAt = Date.now()
const loadBefore = Number(loadNow().toFixed(1))
console.log(`${asked} kills, seed ${seed}`)
const plan = planOf(PLACES, asked, seed)
const kills: Kill[] = []
for (let from = 0; from < plan.length; from += KILLS_PER_WORLD) {
  if (!(await killIn(plan.slice(from, from + KILLS_PER_WORLD)))) break
}
const result = describe()
await write(result)
const died = kills.reduce((sum, kill) => sum + kill.died, 0)
console.log(
  `${died} killed in ${kills.length} rotations: ${isGood(result) ? 'every rotation completed once' : 'FAILED'}`,
)
process.exit(isGood(result) ? 0 : 1)

/** Ends at the first failure: what follows would start from a world that is already wrong. */
async function killIn(deaths: readonly Deaths[]): Promise<boolean> {
  const crash = await CrashWorld.start()
  try {
    for (const each of deaths) {
      const kill = await killAt(crash, each)
      kills.push(kill)
      const heir = each.heir === undefined ? '' : `, heir at ${each.heir}: ${kill.died} died`
      console.log(`${kills.length}/${asked} ${each.place}${heir}, ${kill.seconds.toFixed(1)} s`)
      if (kill.failure !== undefined) {
        console.error(kill.failure)
        return false
      }
    }
    return true
  } finally {
    await crash.stop()
  }
}

async function killAt(crash: CrashWorld, { place, heir }: Deaths): Promise<Kill> {
  const begun = Date.now()
  const seconds = () => (Date.now() - begun) / 1000
  try {
    return { place, died: await crash.dieAt(place, heir), seconds: seconds() }
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    return { place, died: 1, seconds: seconds(), failure }
  }
}

function describe(): SoakResult {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: machineOf(),
    loadBefore,
    seed,
    asked,
    minutes: (Date.now() - startedAt) / 60_000,
    kills,
  }
}

async function write(soak: SoakResult): Promise<void> {
  await mkdir(RESULTS, { recursive: true })
  await writeFile(join(RESULTS, 'soak.json'), `${JSON.stringify(soak, null, 2)}\n`)
  await writeFile(join(RESULTS, 'soak.md'), page(soak))
}
