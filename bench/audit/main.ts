import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { randomBytes } from 'node:crypto'
import { busyWith, loadNow, machineOf } from '../quiet.ts'
import { recordMaker } from './make-log.ts'
import { Palisade } from './palisade.ts'
import { buildPeers, PEERS, type Peer, type PeerRun, runPeer } from './peers.ts'
import { proofSizes } from './proof-sizes.ts'
import { markdownOf, type Measured, type Round } from './report.ts'
import { makeExport, verifyExport, type VerificationRun } from './verification.ts'

/**
 * The audit log beside Tessera and immudb, on the same disk; then its verification. Rounds are interleaved, so that
 * whatever else the machine does falls on all of them. Writes audit.json and audit.md.
 */
const WRITERS = { full: 64, wide: 1024 }
const RATE = 500
const PER_BATCH = 250

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    records: { type: 'string', default: '1000000' },
    verifications: { type: 'string', default: '5' },
    out: { type: 'string', default: join(import.meta.dirname, '../results') },
    'any-load': { type: 'boolean', default: false },
  },
})
const numbers = ['rounds', 'seconds', 'records', 'verifications'] as const
const [rounds, seconds, records, verifications] = numbers.map((name) => Number(values[name]))
if (numbers.some((name) => !/^[1-9][0-9]{0,8}$/.test(values[name]))) {
  console.error(`--${numbers.join(', --')} are whole numbers from 1 on`)
  process.exit(2)
}
const before = loadNow()
const busy = busyWith(before, values['any-load'])
if (busy !== undefined) {
  console.error(busy)
  process.exit(3)
}

const folder = await mkdtemp(join(tmpdir(), 'palisade-bench-'))
try {
  const say = (text: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`)
  say('compiling the peers')
  const programs = await buildPeers()
  const recordBytes = (await recordMaker({ id: 'bench', secret: randomBytes(32) })(0)).bytes.length
  const measuredRounds: Round[] = []
  const palisade = await Palisade.start()
  const postgres = await palisade.settings()
  try {
    for (let round = 0; round < Number(rounds); round += 1) {
      say(`round ${round + 1} of ${rounds}`)
      measuredRounds.push(await oneRound(palisade, programs, recordBytes, round % 2 === 1))
    }
  } finally {
    await palisade.stop()
  }
  say(`making a log of ${records} records`)
  const log = await makeExport(folder, Number(records), PER_BATCH)
  const verified: VerificationRun[] = []
  for (let one = 1; one <= Number(verifications); one += 1) {
    say(`verification ${one} of ${verifications}`)
    verified.push(await verifyExport(log))
  }
  const measured: Measured = {
    at: new Date().toISOString(),
    command: `make bench-audit${process.argv.length > 2 ? ` ARGS="${process.argv.slice(2).join(' ')}"` : ''}`,
    machine: machineOf(),
    go: execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).trim().replace('go', 'Go '),
    postgres,
    load: { before, after: loadNow() },
    recordBytes,
    writers: WRITERS,
    rate: RATE,
    seconds: Number(seconds),
    rounds: measuredRounds,
    log: { records: log.records, perBatch: log.perBatch, bytes: log.bytes },
    verified,
    proofs: proofSizes(1_000_000),
  }
  await mkdir(values.out, { recursive: true })
  await writeFile(join(values.out, 'audit.json'), `${JSON.stringify(measured, null, 2)}\n`)
  await writeFile(join(values.out, 'audit.md'), markdownOf(measured))
  console.log(markdownOf(measured))
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** There and back, so that none always follows the same one. */
async function oneRound(
  palisade: Palisade,
  programs: string,
  recordBytes: number,
  isBack: boolean,
): Promise<Round> {
  const load = { seconds: Number(seconds), rate: RATE, recordBytes }
  const peer = async (name: Peer): Promise<{ full: PeerRun; wide: PeerRun }> => ({
    full: await runPeer(programs, name, folder, { ...load, writers: WRITERS.full }),
    wide: await runPeer(programs, name, folder, { ...load, writers: WRITERS.wide, rate: 0 }),
  })
  const own = async () => ({
    full: await palisade.full(WRITERS.full, load.seconds),
    wide: await palisade.full(WRITERS.wide, load.seconds),
    steady: await palisade.steady(RATE, load.seconds),
    added: await palisade.added(RATE, load.seconds),
  })
  const peers: Partial<Record<Peer, { full: PeerRun; wide: PeerRun }>> = {}
  const mine = isBack ? undefined : await own()
  for (const name of isBack ? PEERS.toReversed() : PEERS) peers[name] = await peer(name)
  return { ...(mine ?? (await own())), peers: peers as Round['peers'] }
}
