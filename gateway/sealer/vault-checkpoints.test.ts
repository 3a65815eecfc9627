import { describe, expect, it } from 'vitest'
import { logCheckpointText } from '#core/audit/log-checkpoint'
import { vaultSink } from './vault-checkpoints.ts'

const note = (size: number) => {
  const tree = { root: Buffer.alloc(32, 1), numbering: Buffer.alloc(32, 2) }
  const text = logCheckpointText({
    ...{ log: 'palisade.dev/audit/t', epoch: 1, size, counter: 1 },
    ...tree,
  })
  return `${text}\n\u2014 palisade.dev/audit/t AAAA\n`
}

/** One place of a KV v2 store: a write with another version than the newest is refused, one without takes it. */
function keyValue() {
  const versions: (string | undefined)[] = []
  const call = async (method: string, _path: string, body?: object) => {
    const version = versions.length
    if (method === 'GET') {
      if (versions.at(-1) === undefined)
        return { status: 404, body: { data: { metadata: { version } } } }
      const data = { data: { note: versions.at(-1) }, metadata: { version } }
      return { status: 200, body: { data } }
    }
    const { data, options = {} } = body as { data: { note: string }; options?: { cas?: number } }
    if (options.cas !== undefined && options.cas !== version) return { status: 400, body: {} }
    versions.push(data.note)
    return { status: 200, body: { data: { version: version + 1 } } }
  }
  return { versions, call }
}

describe('vaultSink', () => {
  it('leaves a newer checkpoint that was written between its look and its own write', async () => {
    const place = keyValue()
    const slept = vaultSink(place)
    const other = vaultSink(place)
    await slept.publish(note(1))
    // Each remembers what it saw last, so the other's write falls between the look and the write.
    await other.publish(note(9))
    expect(await slept.publish(note(5))).toBe(false)
    expect(place.versions).toEqual([note(1), note(9)])
  })

  it('looks again when somebody was faster with less, and writes then', async () => {
    const place = keyValue()
    const [slow, fast] = [vaultSink(place), vaultSink(place)]
    await slow.publish(note(1))
    await fast.publish(note(2))
    expect(await slow.publish(note(5))).toBe(true)
    expect(place.versions.at(-1)).toBe(note(5))
  })

  it('fails when every write is refused', async () => {
    const sink = vaultSink({ call: async () => ({ status: 403, body: {} }) })
    await expect(sink.publish(note(1))).rejects.toMatchObject({ code: 'ERR_STORE_REFUSED' })
  })

  it('wants to be looked at once after somebody emptied it, and is written then', async () => {
    const place = keyValue()
    const sink = vaultSink(place)
    await sink.publish(note(1))
    place.versions.push(undefined)
    expect(await sink.publish(note(2))).toBe(false)
    expect(await sink.newest()).toBeUndefined()
    expect(await sink.publish(note(3))).toBe(true)
    expect(place.versions.at(-1)).toBe(note(3))
  })

  it('is not empty where Vault refuses to tell', async () => {
    const sink = vaultSink({ call: async () => ({ status: 400, body: {} }) })
    await expect(sink.newest()).rejects.toMatchObject({ code: 'ERR_STORE_REFUSED' })
  })
})
