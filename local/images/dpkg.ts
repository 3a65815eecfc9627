/** What dpkg knows about an unpacked root file system, read without running dpkg. */
export interface Package {
  readonly name: string
  readonly essential: boolean
  readonly depends: readonly (readonly string[])[]
  readonly provides: readonly string[]
  /** The paragraph as it stands, which scanners read to know versions. */
  readonly paragraph: string
}

const field = (paragraph: string, name: string): string =>
  new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? ''

const names = (list: string): string[] =>
  list
    .split(/[,|]/)
    .map((one) => one.trim().replace(/[ :(].*$/, ''))
    .filter(Boolean)

const relation = (list: string): string[][] =>
  list
    .split(',')
    .map(names)
    .filter((any) => any.length > 0)

export const parseStatus = (status: string): ReadonlyMap<string, Package> =>
  new Map(
    status
      .split('\n\n')
      .filter((paragraph) => paragraph.includes('Package: '))
      .map((paragraph) => {
        const name = field(paragraph, 'Package')
        return [
          name,
          {
            name,
            essential: field(paragraph, 'Essential') === 'yes',
            depends: [
              ...relation(field(paragraph, 'Pre-Depends')),
              ...relation(field(paragraph, 'Depends')),
            ],
            provides: names(field(paragraph, 'Provides')),
            paragraph,
          },
        ]
      }),
  )

/** The packages that `roots` need, themselves included; `without` and what only they need stays out. */
export const closure = (
  packages: ReadonlyMap<string, Package>,
  roots: readonly string[],
  without: ReadonlySet<string> = new Set(),
): ReadonlySet<string> => {
  const providers = new Map<string, string>()
  for (const { name, provides } of packages.values()) {
    for (const virtual of provides) providers.set(virtual, name)
  }
  const found = new Set<string>()
  const queue = [...roots]
  for (let wanted = queue.pop(); wanted !== undefined; wanted = queue.pop()) {
    const name = packages.has(wanted) ? wanted : providers.get(wanted)
    if (name === undefined || found.has(name) || without.has(name)) continue
    found.add(name)
    // Of alternatives every installed one counts: one file too many is harmless, one too few is not.
    for (const alternatives of packages.get(name)?.depends ?? []) queue.push(...alternatives)
  }
  return found
}

/** Since the merge of /usr the lists still name some files by their old folder. */
export const merged = (path: string): string =>
  path
    .replace(/^\.?\/*/, '')
    .replace(/\/$/, '')
    .replace(/^(bin|sbin|lib|lib64)\//, 'usr/$1/')
