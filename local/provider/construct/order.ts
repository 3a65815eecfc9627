import { LocalError } from '../../errors.ts'
import {
  annotation,
  apiVersionOf,
  groupOf,
  kindOf,
  nameOf,
  namespaceOf,
} from '../kubernetes/object.ts'
import { at, text, type JsonMap } from '../values.ts'

const DEPENDS_ON = 'config.kubernetes.io/depends-on'

/** `<group>/namespaces/<namespace>/<kind>/<name>`, or `<group>/<kind>/<name>` without a namespace. */
export function referenceOf(object: JsonMap): string {
  const scope = namespaceOf(object)
  const where = scope === undefined ? '' : `namespaces/${scope}/`
  return `${groupOf(apiVersionOf(object))}/${where}${kindOf(object)}/${nameOf(object) ?? ''}`
}

const isDefinition = (object: JsonMap): boolean => kindOf(object) === 'CustomResourceDefinition'

const defines = (definition: JsonMap, object: JsonMap): boolean =>
  text(at(definition, ['spec', 'group'])) === groupOf(apiVersionOf(object)) &&
  text(at(definition, ['spec', 'names', 'kind'])) === kindOf(object)

/** What has to be there before an object of the same set: its definition, its namespace, what it names. */
function needs(object: JsonMap, all: readonly JsonMap[]): number[] {
  const named = new Set((annotation(object, DEPENDS_ON) ?? '').split(',').map((one) => one.trim()))
  const scope = namespaceOf(object)
  return all.flatMap((other, index) => {
    const needed =
      other !== object &&
      ((isDefinition(other) && defines(other, object)) ||
        (kindOf(other) === 'Namespace' && nameOf(other) === scope) ||
        named.has(referenceOf(other)))
    return needed ? [index] : []
  })
}

export interface Ordered {
  readonly object: JsonMap
  /** Places of earlier entries of the result. */
  readonly needs: readonly number[]
}

/** Every object after what it needs; definitions first, otherwise in the order given. */
export function order(objects: readonly JsonMap[]): Ordered[] {
  const wanted = objects.toSorted((a, b) => Number(isDefinition(b)) - Number(isDefinition(a)))
  const result: Ordered[] = []
  const place = new Map<number, number>()
  const open = new Set<number>()
  const visit = (index: number): void => {
    if (place.has(index)) return
    const object = wanted[index] as JsonMap
    if (open.has(index)) {
      throw new LocalError(
        'ERR_MANIFEST_CYCLE',
        `${referenceOf(object)} depends on itself through ${DEPENDS_ON}`,
        'remove one of the annotations',
      )
    }
    open.add(index)
    const before = needs(object, wanted)
    before.forEach(visit)
    place.set(index, result.length)
    result.push({ object, needs: before.map((one) => place.get(one) as number) })
  }
  wanted.forEach((_, index) => visit(index))
  return result
}
