import { LocalError } from '../../errors.ts'
import type { ProviderContext } from '../context.ts'
import {
  apiVersionOf,
  idOf,
  kindOf,
  nameOf,
  namespaceOf,
  SKIP_AWAIT,
  typeToken,
} from '../kubernetes/object.ts'
import { markObject } from '../secrets.ts'
import { at, isMap, resourceReference, text, type JsonMap } from '../values.ts'
import type { Monitor, Registered } from './monitor.ts'
import { order } from './order.ts'

export interface Component {
  readonly urn: string
  /** In front of the colon of every child's name. */
  readonly prefix: string
  readonly namespace: string
  readonly skipAwait: boolean
  readonly provider: string | undefined
  readonly version: string
  /** Texts of secret inputs: where one appears in a child, the child's field is secret. */
  readonly secretTexts: ReadonlySet<string>
}

/** `small:shop/small-cm`, `small:widgets.example.com`. */
export const childName = (prefix: string, object: JsonMap): string =>
  `${prefix}:${idOf({ namespace: namespaceOf(object), name: nameOf(object) ?? '' })}`

type Scope = (object: JsonMap) => Promise<boolean | undefined>

/** Scope of a kind: as the cluster serves it, or as a definition of the same set will make it. */
function scopeOf(objects: readonly JsonMap[], context: ProviderContext): Scope {
  return async (object) => {
    const served = await context.api.discovery.find(apiVersionOf(object), kindOf(object))
    if (served) return served.namespaced
    const definition = objects.find(
      (one) =>
        kindOf(one) === 'CustomResourceDefinition' &&
        text(at(one, ['spec', 'names', 'kind'])) === kindOf(object) &&
        apiVersionOf(object).startsWith(`${text(at(one, ['spec', 'group'])) ?? ''}/`),
    )
    return definition ? at(definition, ['spec', 'scope']) === 'Namespaced' : undefined
  }
}

async function complete(
  object: JsonMap,
  component: Component,
  namespaced: Scope,
): Promise<JsonMap> {
  if (nameOf(object) === undefined) {
    throw new LocalError(
      'ERR_MANIFEST',
      `a ${kindOf(object)} of "${component.prefix}" has no metadata.name`,
      'give every object of a chart or group a name',
    )
  }
  const metadata = isMap(object.metadata) ? { ...object.metadata } : {}
  if (metadata.namespace === undefined && (await namespaced(object)) === true) {
    metadata.namespace = component.namespace
  }
  if (component.skipAwait) {
    const given = isMap(metadata.annotations) ? metadata.annotations : {}
    metadata.annotations = { ...given, [SKIP_AWAIT]: 'true' }
  }
  return { ...object, metadata }
}

/** Registers every object as a child; an object starts when what it needs has been made. */
export async function registerChildren(
  objects: readonly JsonMap[],
  component: Component,
  monitor: Monitor,
  context: ProviderContext,
): Promise<JsonMap[]> {
  const namespaced = scopeOf(objects, context)
  const completed = await Promise.all(objects.map((one) => complete(one, component, namespaced)))
  const started: Promise<Registered>[] = []
  for (const { object, needs } of order(completed)) {
    const before = needs.map((place) => started[place] as Promise<Registered>)
    const registered = Promise.all(before).then((made) =>
      monitor.register({
        type: typeToken(apiVersionOf(object), kindOf(object)),
        name: childName(component.prefix, object),
        parent: component.urn,
        custom: true,
        object: markObject(object, [], component.secretTexts),
        dependencies: made.map((one) => one.urn),
        provider: component.provider,
        version: component.version,
      }),
    )
    // A failed predecessor fails its followers; each is reported once, by the wait below.
    registered.catch(() => {})
    started.push(registered)
  }
  const made = await Promise.all(started)
  return made.map((one) => resourceReference(one.urn, one.id, component.version))
}
