import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PalisadeError } from '#core/problem'
import { noteSigner } from '../../test/support/note-signer.ts'
import { signedCheckpoint } from '../../test/support/signed-checkpoint.ts'
import { fileSink } from './file-checkpoints.ts'
import { SealerMetrics } from './metrics.ts'
import type { Remembered } from './places.ts'
import type { CheckpointSink } from './ports.ts'
import { Publisher } from './publisher.ts'
import { vaultSink } from './vault-checkpoints.ts'

const { signer } = noteSigner('palisade.dev/audit/t')
const note = (size: number) => signedCheckpoint(signer, { size })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-publisher-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A store whose place holds this, and which takes every write. */
const vaultWith = (held: unknown) =>
  vaultSink({
    call: async (method) =>
      method === 'GET'
        ? { status: 200, body: { data: { data: { note: held }, metadata: { version: 3 } } } }
        : { status: 200, body: { data: { version: 4 } } },
  })

function memorySink(name: string, held?: string): CheckpointSink & { held: string | undefined } {
  return {
    name,
    held,
    newest() {
      return Promise.resolve(this.held)
    },
    publish(next) {
      this.held = next
      return Promise.resolve(true)
    },
  }
}

function publisherFor(...sinks: CheckpointSink[]) {
  const metrics = new SealerMetrics()
  const logger = { info() {}, warn() {}, error() {} }
  // Two seconds at each look, so that no place rests.
  let time = 0
  const clock = { now: () => new Date((time += 2_000)) }
  const publisher = new Publisher({ sinks, metrics, logger, clock }, 0)
  return { publisher, metrics }
}

/** What the places told within a few turns, or in as many as it takes until `wanted` answers are there. */
async function turns(publisher: Publisher, wanted = 0): Promise<Remembered[]> {
  const answers: Remembered[] = []
  for (let turn = 0; turn < 10 || (answers.length < wanted && turn < 2_000); turn += 1) {
    answers.push(...publisher.publishDue())
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return answers
}

async function publishTo(sink: CheckpointSink, wanted = 0) {
  const { publisher } = publisherFor(sink)
  publisher.agreeWith([sink])
  publisher.offer(await note(9))
  return [...new Set((await turns(publisher, wanted)).map((answer) => answer.sink))]
}

describe('Publisher', () => {
  it.each([
    ['what is no checkpoint', 'hello'],
    ['an empty text', ''],
    ['what is no text', 7],
  ])('asks for a comparison with a secret store that holds %s', async (_, held) => {
    const sink = vaultWith(held)
    expect(await publishTo(sink)).toEqual([sink])
  })

  it('asks for a comparison with a file that holds no checkpoint, and leaves it', async () => {
    const path = join(folder, 'checkpoint.note')
    await writeFile(path, 'hello')
    const sink = fileSink(path)
    expect(await publishTo(sink, 1)).toEqual([sink])
    expect(await sink.newest()).toBe('hello')
  })

  it('asks for none with a place that remembers nothing', async () => {
    expect(await publishTo(vaultWith(undefined))).toEqual([])
  })

  it('writes nothing to a place that was not compared, asks it, and writes when it agrees', async () => {
    const sink = memorySink('late', await note(3))
    const { publisher } = publisherFor(sink)
    publisher.offer(await note(9))
    expect((await turns(publisher))[0]).toEqual({ sink, note: await note(3) })
    expect(sink.held).toBe(await note(3))
    publisher.agreeWith([sink], [sink])
    await turns(publisher)
    expect(sink.held).toBe(await note(9))
  })

  it('waits for no place: the other one gets its checkpoints while one hangs', async () => {
    const [hanging, other] = [memorySink('hanging'), memorySink('other')]
    hanging.publish = () => new Promise(() => undefined)
    const { publisher, metrics } = publisherFor(hanging, other)
    publisher.agreeWith([hanging, other])
    for (const size of [3, 4, 5]) {
      publisher.offer(await note(size))
      await turns(publisher)
      expect(other.held).toBe(await note(size))
    }
    const { values } = await metrics.lastCheckpointSize.get()
    expect(values).toEqual([{ labels: { sink: 'other' }, value: 5 }])
  })

  it('counts what a place refuses under its name, and brings it up to date when it is back', async () => {
    const sink = memorySink('away')
    const publish = sink.publish.bind(sink)
    sink.publish = () => Promise.reject(new Error('away'))
    const { publisher, metrics } = publisherFor(sink)
    publisher.agreeWith([sink])
    publisher.offer(await note(3))
    await turns(publisher)
    const [failures] = (await metrics.checkpointFailures.get()).values
    expect(failures?.labels).toEqual({ sink: 'away' })
    expect(failures?.value).toBeGreaterThan(1)
    sink.publish = publish
    publisher.offer(await note(4))
    await publisher.flush()
    expect(sink.held).toBe(await note(4))
  })

  it('halts at a place that contradicts, once, and tells this history to no other place', async () => {
    const [contradicting, other] = [memorySink('contradicting'), memorySink('other')]
    contradicting.publish = () => Promise.reject(new PalisadeError('ERR_AUDIT_TAMPERED', 'forked'))
    const { publisher } = publisherFor(contradicting, other)
    publisher.agreeWith([contradicting])
    publisher.offer(await note(3))
    await expect(turns(publisher)).rejects.toMatchObject({ code: 'ERR_AUDIT_TAMPERED' })
    publisher.offer(await note(4))
    await publisher.flush()
    expect(other.held).toBeUndefined()
    publisher.agreeWith([other])
    await turns(publisher)
    expect(other.held).toBe(await note(4))
  })

  it('tells of a place that somebody emptied while it runs, and goes on', async () => {
    const path = join(folder, 'emptied.note')
    const sink = fileSink(path)
    const { publisher, metrics } = publisherFor(sink)
    publisher.judgeEmpty([{ sink, note: undefined }], true)
    publisher.agreeWith([sink])
    publisher.offer(await note(3))
    // As long as the disk takes, which may have much else to do.
    const holds = () => {
      answers.push(...publisher.publishDue())
      return sink.newest()
    }
    const answers: Remembered[] = []
    await expect.poll(holds).toBe(await note(3))
    const toldOf = async () => (await metrics.emptyPlace.get()).values[0]?.value
    expect(await toldOf()).toBe(0)
    await rm(path)
    publisher.offer(await note(4))
    await expect.poll(() => answers.push(...publisher.publishDue())).toBeGreaterThan(0)
    publisher.judgeEmpty(answers, false)
    expect(await toldOf()).toBeGreaterThan(0)
    publisher.agreeWith([sink])
    await expect.poll(holds).toBe(await note(4))
  })
})
