import { keyOf, type KubeObject } from './types.ts'

export type Change<T> =
  | { readonly type: 'added'; readonly object: T }
  | { readonly type: 'modified'; readonly object: T; readonly before: T }
  | { readonly type: 'deleted'; readonly object: T }

/** The reflector's memory: read by key, changed only by the reflector, every object frozen. */
export class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>()

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  get size(): number {
    return this.#objects.size
  }

  values(): IterableIterator<T> {
    return this.#objects.values()
  }

  /** Undefined when nothing changed: a watch that starts again repeats what is already known. */
  put(object: T): Change<T> | undefined {
    const key = keyOf(object.metadata)
    const before = this.#objects.get(key)
    if (before && isSameRevision(before, object)) return undefined
    this.#objects.set(key, deepFreeze(object))
    return before ? { type: 'modified', object, before } : { type: 'added', object }
  }

  remove(object: T): Change<T> | undefined {
    const key = keyOf(object.metadata)
    if (!this.#objects.delete(key)) return undefined
    return { type: 'deleted', object }
  }

  /** After a new list: what it lacks was deleted while nobody watched, and says so now. */
  replace(listed: readonly T[]): Change<T>[] {
    const seen = new Set(listed.map((object) => keyOf(object.metadata)))
    const gone = [...this.#objects.values()].filter((known) => !seen.has(keyOf(known.metadata)))
    const changes: Change<T>[] = []
    for (const object of gone) {
      const change = this.remove(object)
      if (change) changes.push(change)
    }
    for (const object of listed) {
      const change = this.put(object)
      if (change) changes.push(change)
    }
    return changes
  }
}

// The uid guards against a delete and a new object of the same name between two lists.
const isSameRevision = (a: KubeObject, b: KubeObject): boolean =>
  a.metadata.uid === b.metadata.uid &&
  a.metadata.resourceVersion !== undefined &&
  a.metadata.resourceVersion === b.metadata.resourceVersion

function deepFreeze<V>(value: V): V {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
