import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { idOf, parseId, type ObjectKey } from '../provider/kubernetes/object.ts'
import { at, isMap, text, type JsonMap } from '../provider/values.ts'
import { keyOf, type Manifest } from './manifest.ts'

/** What was asked for, and the object as it stood when it was ready; before that it has no version. */
interface Seen {
  readonly asked: string
  readonly uid: string
  readonly resourceVersion: string
}

/** Where an object is, and which one of that name it was. */
export interface Known {
  readonly key: ObjectKey
  readonly uid: string
}

const digestOf = (manifest: Manifest): string =>
  createHash('sha256').update(JSON.stringify(manifest)).digest('base64')

export const wordOf = ({ apiVersion, kind, ...rest }: ObjectKey): string =>
  `${apiVersion} ${kind} ${idOf(rest)}`

function keyIn(word: string): ObjectKey {
  const [apiVersion = '', kind = '', id = ''] = word.split(' ')
  return { apiVersion, kind, ...parseId(id) }
}

/** A file that is JSON can still be anything, and by what stands in it objects are deleted. */
const isWhole = ([word, seen]: [string, unknown]): boolean =>
  /^\S+ \S+ \S+$/.test(word) && isMap(seen) && text(seen.uid) !== undefined

const field = (live: JsonMap, name: string): string => text(at(live, ['metadata', name])) ?? ''

/**
 * Objects that nobody has written since they were ready hold what we applied, status included, so there is nothing
 * to send: an API server needs a tenth of a second to find out by itself that a large definition is the same. And
 * what is known here but asked for no longer is what an earlier version left behind.
 * Kept in one file; without it, or with a damaged one, everything is applied again and nothing is deleted.
 */
export class Memory {
  readonly #path: string
  readonly #seen: Map<string, Seen>

  private constructor(path: string, seen: Map<string, Seen>) {
    this.#path = path
    this.#seen = seen
  }

  static async open(stateDir: string, name: string): Promise<Memory> {
    const path = join(stateDir, `applied-${name}.json`)
    const known = await readFile(path, 'utf8')
      .then((content) =>
        Object.entries(JSON.parse(content) as Record<string, Seen>).filter(isWhole),
      )
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

  /** It is ours from now on, and is applied again until it was seen settled. */
  applied(manifest: Manifest, made: JsonMap): void {
    this.#put(manifest, made, '')
  }

  settled(manifest: Manifest, live: JsonMap): void {
    this.#put(manifest, live, field(live, 'resourceVersion'))
  }

  #put(manifest: Manifest, object: JsonMap, resourceVersion: string): void {
    const seen = { asked: digestOf(manifest), uid: field(object, 'uid'), resourceVersion }
    this.#seen.set(wordOf(keyOf(manifest)), seen)
  }

  known(): Known[] {
    return [...this.#seen].map(([word, { uid }]) => ({ key: keyIn(word), uid }))
  }

  forget(key: ObjectKey): void {
    this.#seen.delete(wordOf(key))
  }

  async save(): Promise<void> {
    await writeFile(`${this.#path}.next`, JSON.stringify(Object.fromEntries(this.#seen)), {
      mode: 0o600,
    })
    await rename(`${this.#path}.next`, this.#path)
  }
}
