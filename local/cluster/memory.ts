import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { idOf } from '../provider/kubernetes/object.ts'
import { at, text, type JsonMap } from '../provider/values.ts'
import { keyOf, type Manifest } from './manifest.ts'

/** What was asked for, and the object as it stood when it was ready. */
interface Seen {
  readonly asked: string
  readonly uid: string
  readonly resourceVersion: string
}

const digestOf = (manifest: Manifest): string =>
  createHash('sha256').update(JSON.stringify(manifest)).digest('base64')

const wordOf = ({ apiVersion, kind, ...rest }: ReturnType<typeof keyOf>): string =>
  `${apiVersion} ${kind} ${idOf(rest)}`

const field = (live: JsonMap, name: string): string => text(at(live, ['metadata', name])) ?? ''

/**
 * Objects that nobody has written since they were ready hold what we applied, status included, so there is nothing
 * to send: an API server needs a tenth of a second to find out by itself that a large definition is the same.
 * Kept in one file; without it, or with a damaged one, everything is applied again.
 */
export class Memory {
  readonly #path: string
  readonly #seen: Map<string, Seen | null>

  private constructor(path: string, seen: Map<string, Seen | null>) {
    this.#path = path
    this.#seen = seen
  }

  static async open(stateDir: string, name: string): Promise<Memory> {
    const path = join(stateDir, `applied-${name}.json`)
    const known = await readFile(path, 'utf8')
      .then((content) => Object.entries(JSON.parse(content) as Record<string, Seen | null>))
      .catch(() => [])
    return new Memory(path, new Map(known))
  }

  isSame(manifest: Manifest, live: JsonMap | undefined): boolean {
    const seen = this.#seen.get(wordOf(keyOf(manifest)))
    return (
      live !== undefined &&
      seen?.asked === digestOf(manifest) &&
      seen.uid === field(live, 'uid') &&
      seen.resourceVersion === field(live, 'resourceVersion')
    )
  }

  remember(manifest: Manifest, live: JsonMap): void {
    this.#seen.set(wordOf(keyOf(manifest)), {
      asked: digestOf(manifest),
      uid: field(live, 'uid'),
      resourceVersion: field(live, 'resourceVersion'),
    })
  }

  async save(): Promise<void> {
    await writeFile(`${this.#path}.next`, JSON.stringify(Object.fromEntries(this.#seen)), {
      mode: 0o600,
    })
    await rename(`${this.#path}.next`, this.#path)
  }
}
