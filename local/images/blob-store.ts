import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** What an OCI manifest says about a blob: enough to find it and to check it. */
export interface Blob {
  readonly digest: string
  readonly size: number
}

/** Layers that come from one build, by the name that the build gives them. */
export type Layers<Name extends string = string> = Readonly<Record<Name, Blob>>

export const sha256 = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex')

/**
 * Content-addressed files plus an index from the digest of a build's inputs to what it made.
 * A blob gets its name only once it is complete, and the index is written after the blobs,
 * so that a build killed half way is built again instead of being believed.
 */
export class BlobStore {
  readonly #root: string
  readonly #used = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  /** A folder for work in progress; everything in it may be deleted between two runs. */
  get scratch(): string {
    return join(this.#root, 'scratch')
  }

  /** A name for work in progress that no other build uses. */
  async scratchFile(): Promise<string> {
    await mkdir(this.scratch, { recursive: true })
    return join(this.scratch, `${process.pid}-${crypto.randomUUID()}`)
  }

  path(digest: string): string {
    return join(this.#root, 'blobs', 'sha256', digest.replace(/^sha256:/, ''))
  }

  open(blob: Blob): Readable {
    return createReadStream(this.path(blob.digest))
  }

  async read(blob: Blob): Promise<Buffer> {
    return readFile(this.path(blob.digest))
  }

  async write(content: Readable): Promise<Blob> {
    await mkdir(join(this.#root, 'blobs', 'sha256'), { recursive: true })
    const unfinished = await this.scratchFile()
    const hash = createHash('sha256')
    let size = 0
    const measure = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk)
        size += chunk.length
        done(null, chunk)
      },
    })
    try {
      await pipeline(content, measure, createWriteStream(unfinished))
      const digest = `sha256:${hash.digest('hex')}`
      await rename(unfinished, this.path(digest))
      return { digest, size }
    } catch (cause) {
      await rm(unfinished, { force: true })
      throw cause
    }
  }

  /** The layers of an earlier build with the same inputs, or of a build run now. */
  async layersFor<Name extends string>(
    inputs: string,
    build: () => Promise<Layers<Name>>,
  ): Promise<Layers<Name>> {
    const entry = join(this.#root, 'index', `${sha256(inputs)}.json`)
    this.#used.add(entry)
    const known = await this.#intact<Name>(entry)
    if (known) return known
    const layers = await build()
    await mkdir(join(this.#root, 'index'), { recursive: true })
    await writeFile(`${entry}.new`, JSON.stringify(layers))
    await rename(`${entry}.new`, entry)
    return layers
  }

  /**
   * Deletes what neither this run used nor `kept` names. The young stay: another run may just have
   * written them and not yet said what they are for.
   */
  async prune(kept: readonly Blob[], now: Date): Promise<void> {
    const used = new Set(this.#used)
    const needed = new Set(kept.map(({ digest }) => this.path(digest)))
    for (const entry of used) {
      const layers = (await this.#intact(entry)) ?? {}
      for (const { digest } of Object.values<Blob>(layers)) needed.add(this.path(digest))
    }
    await deleteOld(join(this.#root, 'index'), used, now)
    await deleteOld(join(this.#root, 'blobs', 'sha256'), needed, now)
    await deleteOld(this.scratch, new Set(), now)
  }

  async #intact<Name extends string>(entry: string): Promise<Layers<Name> | undefined> {
    try {
      const layers = JSON.parse(await readFile(entry, 'utf8')) as Layers<Name>
      for (const blob of Object.values<Blob>(layers)) {
        if ((await stat(this.path(blob.digest))).size !== blob.size) return undefined
      }
      return layers
    } catch {
      return undefined // absent or damaged: building again is the repair for both
    }
  }
}

const YOUNG_MS = 60 * 60 * 1000

const deleteOld = async (folder: string, kept: ReadonlySet<string>, now: Date): Promise<void> => {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    if (kept.has(path)) continue
    const modified = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => now.getTime(),
    )
    if (now.getTime() - modified > YOUNG_MS) await rm(path, { recursive: true, force: true })
  }
}
