import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { PostgresStore } from '../../gateway/store/postgres-store.ts'
import { caller, readWish, writeWish } from '../../test/support/store-wishes.ts'
import { openLoop, type Timings } from './arrivals.ts'
import { probeDisk } from './disk.ts'
import { type Latencies, latenciesOf, slowestOf, type SlowestHundredth } from './latencies.ts'
import { saturate } from './load.ts'
import { between, GcPauses, type Meanwhile, stolenMs, together } from './meanwhile.ts'
import { Palisade } from './palisade.ts'

export interface AddedWish {
  readonly rate: number
  readonly rounds: number
  /** Of each side in a round. */
  readonly seconds: number
  /** In the log before it begins. */
  readonly records: number
}

export interface Side {
  /** Of all samples of all rounds. */
  readonly all: Latencies
  readonly rounds: readonly Latencies[]
  readonly slowest: SlowestHundredth
  readonly sentLateP99: number
  readonly meanwhile: Meanwhile
}

export interface AddedLatency extends AddedWish {
  readonly bare: Side
  readonly audited: Side
  /** One sync of the disk at the same rate while the database rests, as long as a side, before each round. */
  readonly disk: Latencies
  readonly postgres: Readonly<Record<string, string>>
}

const WARM_SECONDS = 3
const FILLING = { writers: 1024, seconds: 1 }

/**
 * The same look-up of a secret, once as it is and once with its record: what the record adds. Both take turns on one
 * pool, whose connections come and go as those of a gateway do.
 */
export async function measureAdded(
  wish: AddedWish,
  say: (text: string) => void,
): Promise<AddedLatency> {
  const palisade = await Palisade.start()
  let connections = 0
  const store = palisade.makeStore(() => (connections += 1))
  const gc = new GcPauses()
  const look = async () => ({
    ...(await countsOf(palisade)),
    ...gc.read(),
    connections,
    stealMs: stolenMs(),
  })
  try {
    say(`filling the log with ${wish.records} records`)
    await fill(palisade, store, wish.records)
    return await takeTurns(palisade, store, look, wish, say)
  } finally {
    gc.stop()
    await store.close()
    await palisade.stop()
  }
}

/** Of an empty log every page is in memory and few are written whole; one that grew slowly has been vacuumed meanwhile. */
async function fill(palisade: Palisade, store: PostgresStore, records: number): Promise<void> {
  const append = async (index: number) => store.appendAudit(null, await palisade.record(index))
  for (let made = 0; made < records;) {
    made += (await saturate(append, FILLING.writers, FILLING.seconds)).records
  }
  await palisade.measured.sealed()
  // From here on both come when the platform's settings want them.
  for (const now of ['vacuum analyze', 'checkpoint']) await palisade.measured.database.query(now)
}

async function takeTurns(
  palisade: Palisade,
  store: PostgresStore,
  look: () => Promise<Meanwhile>,
  wish: AddedWish,
  say: (text: string) => void,
): Promise<AddedLatency> {
  const { rate, rounds, seconds } = wish
  const calls = await lookUps(palisade, store)
  const sides = { bare: [] as Turn[], audited: [] as Turn[] }
  const disk: number[] = []
  // Statements are prepared and functions compiled once per connection, not per round.
  for (const side of SIDES) await openLoop(calls[side], rate, WARM_SECONDS)
  for (let round = 1; round <= rounds; round += 1) {
    say(`look-ups without and with their record, round ${round} of ${rounds}`)
    disk.push(...probeDisk(dirname(palisade.measured.directory), rate, seconds))
    // There and back, so that neither always follows the other.
    for (const side of round % 2 === 1 ? SIDES : SIDES.toReversed()) {
      const before = await look()
      const timings = await openLoop(calls[side], rate, seconds)
      sides[side].push({ timings, meanwhile: between(before, await look()) })
    }
  }
  return {
    ...wish,
    bare: sideOf(sides.bare),
    audited: sideOf(sides.audited),
    disk: latenciesOf(disk),
    postgres: await palisade.settings(),
  }
}

const SIDES = ['bare', 'audited'] as const

interface Turn {
  readonly timings: Timings
  readonly meanwhile: Meanwhile
}

function sideOf(turns: readonly Turn[]): Side {
  const timings = turns.map((turn) => turn.timings)
  const all = (of: keyof Timings) => timings.flatMap((one) => [...one[of]])
  return {
    all: latenciesOf(all('answered')),
    rounds: timings.map(({ answered }) => latenciesOf(answered)),
    slowest: slowestOf(timings),
    sentLateP99: latenciesOf(all('sent')).p99,
    meanwhile: together(turns.map((turn) => turn.meanwhile)),
  }
}

/** As the gateway does: which of its two records is written is known when the secret was found, so it makes both. */
async function lookUps(palisade: Palisade, store: PostgresStore) {
  const who = caller()
  await store.ensureUser(who)
  const wish = writeWish(who)
  await store.writeSecret(who, wish)
  const record = async (index: number) => ({
    ...(await palisade.record(index)),
    tenantId: who.tenantId,
  })
  return {
    bare: () => store.findHead(who, wish.name),
    audited: async (index: number) => {
      const audit = { read: await record(index), absent: await record(index) }
      return store.readSecret(who, readWish(who, wish.name, { audit }))
    },
  }
}

/** Everybody tells at most once a second what he did. */
async function countsOf({ measured }: Palisade) {
  await pause(1_200)
  const { fsyncs, walBytes } = await measured.counted()
  return { fsyncs, walBytes, ...(await measured.disturbances()) }
}
