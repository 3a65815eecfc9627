import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sealed } from '#core/sealed'
import { noteSigner } from '../../test/support/note-signer.ts'
import { startObjectStore, type TestObjectStore } from '../../test/support/object-store.ts'
import { signedCheckpoint } from '../../test/support/signed-checkpoint.ts'
import { keptKey, newestKey, objectStoreSink } from './object-checkpoints.ts'
import { accessFiles } from './object-store-access.ts'
import { ObjectStore } from './object-store.ts'

const LOG = 'palisade.dev/audit/objects'
const { signer } = noteSigner(LOG)
const note = (size: number, epoch = 1, root = 1) => signedCheckpoint(signer, { epoch, size, root })

let server: TestObjectStore
let cases = 0
/** The first start on a machine compiles the server. */
const HOOK_MS = 600_000

beforeAll(async () => {
  // As the documentation asks for it: versions, and Object Lock.
  server = await startObjectStore({ lock: true })
}, HOOK_MS)
afterAll(() => server?.stop())

const newPrefix = () => `case-${(cases += 1)}/`
const sinkAt = (prefix: string) => objectStoreSink(server.client({ prefix }), LOG)

describe('objectStoreSink', () => {
  it('keeps each published checkpoint under a key of its own beside the newest', async () => {
    const prefix = newPrefix()
    const sink = sinkAt(prefix)
    const notes = [await note(3), await note(7), await note(40)]
    expect(await sink.newest()).toBeUndefined()
    for (const each of notes) expect(await sink.publish(each)).toBe(true)
    const own = (await server.objects()).filter(({ key }) => key.startsWith(prefix))
    expect(own.map(({ key }) => key.slice(prefix.length))).toEqual([
      ...[3, 7, 40].map((size) => keptKey(LOG, 1, size)),
      newestKey(LOG),
    ])
    expect(own.map(({ text }) => text)).toEqual([...notes, notes[2]])
    expect(await sinkAt(prefix).newest()).toBe(notes[2])
  })

  it('never puts an older checkpoint over the newer one of a sealer that took over', async () => {
    const prefix = newPrefix()
    const [slept, other] = [sinkAt(prefix), sinkAt(prefix)]
    await slept.publish(await note(3))
    await other.publish(await note(7))
    // It still believes that 3 lies there.
    expect(await slept.publish(await note(5))).toBe(false)
    expect(await other.newest()).toBe(await note(7))
  })

  it('takes one of two first checkpoints that arrive together, and the larger one stays', async () => {
    const prefix = newPrefix()
    const two = [await note(2), await note(9)]
    await Promise.all(two.map((each) => sinkAt(prefix).publish(each)))
    expect(await sinkAt(prefix).newest()).toBe(two[1])
  })

  it('takes a smaller checkpoint of a later epoch for newer', async () => {
    const sink = sinkAt(newPrefix())
    await sink.publish(await note(9))
    expect(await sink.publish(await note(4, 2))).toBe(true)
    expect(await sink.publish(await note(90))).toBe(false)
    expect(await sink.newest()).toBe(await note(4, 2))
  })

  it('refuses a checkpoint whose size is kept with another root, and leaves the newest as it was', async () => {
    const prefix = newPrefix()
    const sink = sinkAt(prefix)
    await sink.publish(await note(3))
    await server.overwrite(`case-${cases}/${keptKey(LOG, 1, 5)}`, await note(5, 1, 9))
    await expect(sink.publish(await note(5))).rejects.toMatchObject({ code: 'ERR_AUDIT_TAMPERED' })
    expect(await sinkAt(prefix).newest()).toBe(await note(3))
    // Whoever saw it asks the database about the other history, not about the newest one.
    expect(await sink.newest()).toBe(await note(5, 1, 9))
  })

  it('takes a checkpoint that is kept with the signature of an earlier key', async () => {
    const sink = sinkAt(newPrefix())
    const signedBefore = await signedCheckpoint(noteSigner(LOG).signer, { size: 5 })
    await server.overwrite(`case-${cases}/${keptKey(LOG, 1, 5)}`, signedBefore)
    expect(await sink.publish(await note(5))).toBe(true)
  })
})

describe('ObjectStore', () => {
  const as = (over: { secret?: string; ca?: string }) =>
    new ObjectStore(server.address, async () => ({
      accessKeyId: server.accessKeyId,
      secretAccessKey: Sealed.of(over.secret ?? server.secretAccessKey),
      ...(over.ca === undefined ? {} : { ca: over.ca }),
    }))

  it('takes a bucket that is not there for a refusal, not for a place that remembers nothing', async () => {
    const sink = objectStoreSink(server.client({ bucket: 'gone' }), LOG)
    await expect(sink.newest()).rejects.toMatchObject({
      code: 'ERR_OBJECT_STORE_REFUSED',
      detail: expect.stringContaining('404 NoSuchBucket'),
    })
  })

  it('names the refusal of a credential and quotes nothing of it', async () => {
    const canary = 'canary-9e0c61'
    const error = await as({ secret: canary, ca: server.ca }).get('x').catch(String)
    expect(error).toMatch(/the object store answered 403 SignatureDoesNotMatch to GET x/)
    expect(error).not.toContain(canary)
  })

  it('uses the credential that its files hold now, and says when there is none', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'palisade-access-'))
    const store = new ObjectStore(server.address, accessFiles(directory))
    await expect(store.get('x')).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    await cp(server.credentials, directory, { recursive: true })
    expect(await store.get('x')).toBeUndefined()
    await writeFile(join(directory, 'secret-access-key'), 'rotated')
    await expect(store.get('x')).rejects.toMatchObject({
      detail: expect.stringContaining('SignatureDoesNotMatch'),
    })
    await cp(server.credentials, directory, { recursive: true })
    expect(await store.get('x')).toBeUndefined()
    await store.close()
    await rm(directory, { recursive: true })
  })

  it('speaks to no server whose authority it was not given', async () => {
    await expect(as({}).get('x')).rejects.toMatchObject({ code: /CERT|ISSUER/ })
  })
})
