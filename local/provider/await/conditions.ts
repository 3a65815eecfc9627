import { LocalError } from '../../errors.ts'
import { conditionOf, numberAt } from '../kubernetes/object.ts'
import { at, isMap, type JsonMap, type Path } from '../values.ts'
import { READY, waiting, type Check } from './readiness.ts'

const observedOf = (live: JsonMap, type: string): number | undefined => {
  const list = at(live, ['status', 'conditions'])
  const found = Array.isArray(list)
    ? list.find((one) => isMap(one) && one.type === type)
    : undefined
  const observed = at(found, ['observedGeneration'])
  return typeof observed === 'number' ? observed : undefined
}

export const condition =
  (type: string, status = 'True'): Check =>
  (live) => {
    const found = conditionOf(live, type)
    const observed = observedOf(live, type)
    if (observed !== undefined && observed < numberAt(live, 'metadata', 'generation')) {
      return waiting(`condition ${type} speaks of an older version`)
    }
    if (found?.status === status) return READY
    const why = [found?.reason, found?.message].filter(Boolean).join(': ')
    return waiting(`condition ${type} is ${found?.status || 'missing'}${why ? ` (${why})` : ''}`)
  }

const jsonPath =
  (path: Path, expected: string | undefined): Check =>
  (live) => {
    const found = at(live, path)
    const seen =
      found === undefined || found === null
        ? undefined
        : typeof found === 'string'
          ? found
          : JSON.stringify(found)
    const met = expected === undefined ? seen !== undefined : seen === expected
    return met ? READY : waiting(`${path.join('.')} is ${seen ?? 'missing'}`)
  }

const stepsOf = (path: string): Path =>
  [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([step, index]) =>
    index === undefined ? step : Number(index),
  )

/** `condition=Ready`, `condition=Ready=False`, `jsonpath={.status.phase}=Active` or `{.list[0].field}`, as kubectl wait takes them. */
export function parseWaitFor(wish: string): Check {
  const wanted = /^condition=([A-Za-z0-9./-]+)(?:=([A-Za-z]+))?$/.exec(wish)
  if (wanted?.[1]) return condition(wanted[1], wanted[2])
  const path = /^jsonpath=\{?\.([A-Za-z0-9_.[\]-]+)\}?(?:=(.*))?$/.exec(wish)
  if (path?.[1]) return jsonPath(stepsOf(path[1]), path[2])
  throw new LocalError(
    'ERR_ANNOTATION',
    `pulumi.com/waitFor "${wish}" is not understood`,
    'write condition=Type, condition=Type=Status or jsonpath={.field.path}=value',
  )
}
