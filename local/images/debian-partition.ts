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

/** Never wanted in an image. */
const LEFT_OUT: readonly RegExp[] = [
  // What belongs to the building host, or to a machine that boots.
  /^(dev\/|proc\/.|sys\/.|run\/.|tmp\/.|etc\/(apt\/|fstab|hostname|resolv\.conf|machine-id|rc.\.d\/))/,
  /^(etc\/systemd\/|var\/lib\/(systemd|ucf|pam|apt|dpkg)\/|var\/cache\/.|var\/log\/.)/,
  // For people: pages that are not there, and links to them.
  /^usr\/share\/(doc|man|info|locale|lintian|i18n|bug)\/|^etc\/alternatives\/.*\.gz$/,
  // A private key that every copy of the image would share.
  /^etc\/ssl\/private\/.|snakeoil/,
  // The database that the package made for itself, and what only its compiler reads.
  /^(var\/lib|etc)\/postgresql\/.|^usr\/lib\/postgresql\/[0-9]+\/lib\/(bitcode\/|llvmjit)/,
  /\.a$|^etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$/,
]

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
  const plain = path.replace(/^\.?\/*/, '')
  if (name === '' || LEFT_OUT.some((pattern) => pattern.test(plain))) return []
  const shippedBy = owners.get(name)
  if (!shippedBy || shippedBy.some((one) => layers.get('base')?.has(one))) return ['base']
  return [...layers].flatMap(([layer, members]) =>
    shippedBy.some((one) => members.has(one)) ? [layer] : [],
  )
}
