import { closure, merged, type Package } from './dpkg.ts'

export interface Selection {
  /** Packages asked for by component; `base` is under every image. */
  readonly components: Readonly<Record<string, readonly string[]>>
  /** Installed because Debian's dependencies say so, but used by nothing that runs here. */
  readonly unused: readonly string[]
}

/** Which packages go into which layer. What the base has, no other layer repeats. */
export const partition = (
  packages: ReadonlyMap<string, Package>,
  { components, unused }: Selection,
): ReadonlyMap<string, ReadonlySet<string>> => {
  const without = new Set(unused)
  const essential = [...packages.values()].filter((one) => one.essential).map((one) => one.name)
  const base = closure(packages, [...essential, ...(components.base ?? [])], without)
  const layers = new Map([['base', base]])
  for (const [component, roots] of Object.entries(components)) {
    if (component !== 'base')
      layers.set(
        component,
        new Set([...closure(packages, roots, without)].filter((one) => !base.has(one))),
      )
  }
  return layers
}

/** Never wanted in an image: build leftovers, documentation, the building host's own files. */
const LEFT_OUT =
  /^(dev\/|proc\/.|sys\/.|var\/cache\/.|var\/lib\/(apt|dpkg)\/|var\/log\/.|run\/.|tmp\/.|etc\/(hostname|resolv\.conf|machine-id)$|usr\/share\/(doc|man|info|locale|lintian|i18n|bug)\/|usr\/lib\/postgresql\/[0-9]+\/lib\/(bitcode\/|llvmjit)|var\/lib\/postgresql\/.|etc\/postgresql\/.|.*\.a$)/

/**
 * The layers that a path belongs to: that of the base if a base package ships it or if no package does
 * (users, caches made by maintainer scripts), else of each component whose packages ship it.
 */
export const layersOf = (
  path: string,
  owners: ReadonlyMap<string, readonly string[]>,
  layers: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] => {
  const name = merged(path)
  if (name === '' || LEFT_OUT.test(path.replace(/^\.?\/*/, ''))) return []
  const shippedBy = owners.get(name)
  if (!shippedBy || shippedBy.some((one) => layers.get('base')?.has(one))) return ['base']
  return [...layers].flatMap(([layer, members]) =>
    shippedBy.some((one) => members.has(one)) ? [layer] : [],
  )
}
