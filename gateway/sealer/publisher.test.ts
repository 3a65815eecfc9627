import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logCheckpointText } from '#core/audit/log-checkpoint'
import { fixedClock } from '#core/clock'
import { fileSink } from './file-checkpoints.ts'
import { SealerMetrics } from './metrics.ts'
import type { CheckpointSink } from './ports.ts'
import { Publisher } from './publisher.ts'
import { vaultSink } from './vault-checkpoints.ts'

const tree = { root: Buffer.alloc(32, 1), numbering: Buffer.alloc(32, 2) }
const text = logCheckpointText({
  log: 'palisade.dev/audit/t',
  epoch: 1,
  size: 9,
  counter: 1,
  ...tree,
})
const OFFERED = `${text}\n\u2014 palisade.dev/audit/t AAAA\n`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-publisher-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A store whose place holds this, and which takes every write. */
const vaultWith = (note: unknown) =>
  vaultSink({
    call: async (method) =>
      method === 'GET'
        ? { status: 200, body: { data: { data: { note }, metadata: { version: 3 } } } }
        : { status: 200, body: { data: { version: 4 } } },
  })

async function publishTo(sink: CheckpointSink) {
  const metrics = new SealerMetrics()
  const logger = { info() {}, warn() {}, error() {} }
  const clock = fixedClock('2026-11-27T09:00:00Z')
  const publisher = new Publisher({ sinks: [sink], metrics, logger, clock }, 1_000)
  publisher.offer(OFFERED)
  return publisher.publishDue()
}

describe('Publisher', () => {
  it.each([
    ['what is no checkpoint', 'hello'],
    ['an empty text', ''],
    ['what is no text', 7],
  ])('asks for a comparison with a secret store that holds %s', async (_, note) => {
    const sink = vaultWith(note)
    expect(await publishTo(sink)).toEqual([sink])
  })

  it('asks for a comparison with a file that holds no checkpoint, and leaves it', async () => {
    const path = join(folder, 'checkpoint.note')
    await writeFile(path, 'hello')
    const sink = fileSink(path)
    expect(await publishTo(sink)).toEqual([sink])
    expect(await sink.newest()).toBe('hello')
  })

  it('asks for none with a place that remembers nothing', async () => {
    expect(await publishTo(vaultWith(undefined))).toEqual([])
  })
})
