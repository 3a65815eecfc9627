import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { basename, dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isInControlImage } from '../local/images/control-layers.ts'

const ROOT = join(import.meta.dirname, '..')
const listing = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts'], {
  cwd: ROOT,
})
const FILES = listing
  .toString()
  .split('\n')
  .filter((path) => path !== '')
  .map((path) => ({ path, text: read(path) }))
  .filter(({ text }) => text !== '')
const SOURCES = FILES.filter(({ path }) => !path.endsWith('.test.ts') && !path.startsWith('test/'))

// A file may be gone between the listing and here, when somebody works in the tree.
function read(path: string): string {
  try {
    return readFileSync(join(ROOT, path), 'utf8')
  } catch {
    return ''
  }
}

interface Source {
  readonly path: string
  readonly text: string
}

/** What a file imports: packages by name, files by their path from the root. */
function importsOf({ path, text }: Source): string[] {
  const specifiers = [...text.matchAll(/(?:from|import\(|^import) ?'([^']+)'/gm)].map(
    (match) => match[1] ?? '',
  )
  return specifiers.map((specifier) => {
    if (specifier.startsWith('#')) return specifier.slice(1)
    if (specifier.startsWith('.')) return relative(ROOT, join(ROOT, dirname(path), specifier))
    return specifier
  })
}

/** Packages that a file needs when it runs: a type alone is gone by then. */
function packagesOf({ text }: Source): string[] {
  const statements = text.matchAll(/^(?:import|export)(?! type\b)[^;'"]*?from '([^'.#][^']*)'/gm)
  const dynamic = text.matchAll(/import\('([^'.#][^']*)'\)/g)
  return [...statements, ...dynamic]
    .map(([, specifier = '']) => specifier)
    .filter((specifier) => !specifier.startsWith('node:'))
    .map((specifier) => /^(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)?.[1] ?? specifier)
}

/** Parts of the product and what each may import of the others. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  api: ['api'],
  core: ['api', 'core'],
  operator: ['api', 'core', 'operator'],
  gateway: ['api', 'core', 'gateway'],
  infra: ['api', 'core', 'infra', 'observability'],
  policies: ['api', 'core', 'policies'],
  // Rules and dashboards are data, which infra applies.
  observability: ['api', 'core', 'observability'],
}
const PARTS = [
  ...Object.keys(MAY_IMPORT),
  'cli',
  'local',
  'test',
  'bench',
  'observability',
  'examples',
]

const partOf = (path: string) => path.split('/')[0] ?? ''

const wrongImports = (files: readonly Source[]) =>
  files.flatMap((file) => {
    const allowed = MAY_IMPORT[partOf(file.path)]
    if (!allowed) return []
    return importsOf(file)
      .filter((target) => PARTS.includes(partOf(target)) && !allowed.includes(partOf(target)))
      .map((target) => `${file.path} imports ${target}`)
  })

const pulumiOutside = (files: readonly Source[]) =>
  files
    .filter(({ path }) => !/^(infra|policies\/pulumi|local)\//.test(path))
    .filter((file) => importsOf(file).some((target) => target.startsWith('@pulumi/')))
    .map(({ path }) => path)

const environmentOutside = (files: readonly Source[]) =>
  files
    .filter(({ path }) => !path.startsWith('local/') && basename(path) !== 'config.ts')
    .filter(({ text }) => /\bprocess\.env\b/.test(text))
    .map(({ path }) => path)

// A string that begins like a statement; words in prose have no such shape.
const STATEMENT =
  /['"`]\s*(?:select\s+[\w*$'"(]|insert\s+into\s|update\s+[\w.]+\s+set\s|delete\s+from\s|(?:alter|create|drop)\s+(?:role|user|table|schema|function|policy|database)\s)/i
// The sealer is a process of its own with a database role of its own.
const SQL_PLACES = ['gateway/store/', 'gateway/sealer/', 'examples/']
// The operator asks the database through the fenced functions alone; `select 1` is its login test.
const FENCED = /select\s+(?:[\w*, ]+\s+from\s+)?palisade_fence\.\w+\(|'select 1'/i

const sqlOutside = (files: readonly Source[]) =>
  files
    .filter(({ path }) => !SQL_PLACES.some((place) => path.startsWith(place)))
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .filter((line) => STATEMENT.test(line))
        .filter((line) => !(path.startsWith('operator/adapters/') && FENCED.test(line)))
        .map((line) => `${path}: ${line.trim()}`),
    )

interface Packages {
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}
const PACKAGES = JSON.parse(read('package.json')) as Packages

/** The image is made without packages for development: its programs would not start. */
const packagesMissing = (files: readonly Source[]) =>
  files
    .filter(({ path }) => isInControlImage(path))
    .flatMap((file) =>
      packagesOf(file)
        // PostgreSQL itself is for `npm start`, which the image never runs.
        .filter((name) => !(name in PACKAGES.dependencies || name in PACKAGES.optionalDependencies))
        .map((name) => `${file.path} imports ${name}`),
    )

/** Files that import one another in a circle, types as well: there is none of them to read first. */
function circles(files: readonly Source[]): readonly string[] {
  let left = files.map(({ path }) => path)
  let arrows = files.flatMap((file) =>
    importsOf(file).map((to) => [file.path, to.endsWith('.ts') ? to : `${to}.ts`] as const),
  )
  for (;;) {
    // Whoever imports none of the rest, or is imported by none of it, is in no circle.
    const [importing, imported] = [
      new Set(arrows.map(([from]) => from)),
      new Set(arrows.map(([, to]) => to)),
    ]
    const next = left.filter((path) => importing.has(path) && imported.has(path))
    if (next.length === left.length) return left
    left = next
    arrows = arrows.filter(([from, to]) => left.includes(from) && left.includes(to))
  }
}

describe('architecture', () => {
  it('lets api be imported by core, both by the four parts, and none of these by another', () => {
    expect(wrongImports(SOURCES)).toEqual([])
  })

  it('keeps Pulumi to infra, its policies and the local machine', () => {
    expect(pulumiOutside(SOURCES)).toEqual([])
  })

  it('reads the environment in config.ts files and on the local machine alone', () => {
    expect(environmentOutside(SOURCES)).toEqual([])
  })

  it('imports in the image what is a dependency, and nothing that is one of development alone', () => {
    expect(packagesMissing(SOURCES)).toEqual([])
  })

  it('has SQL in the store and the sealer alone, and calls of the fenced functions in the operator', () => {
    expect(sqlOutside(SOURCES)).toEqual([])
  })

  it('has no file that imports itself by way of others', () => {
    expect(circles(FILES)).toEqual([])
  })

  it('has no folder for things without a home', () => {
    const folders = new Set(FILES.flatMap(({ path }) => dirname(path).split('/')))
    expect(
      ['utils', 'util', 'helpers', 'common', 'shared', 'misc'].filter((name) => folders.has(name)),
    ).toEqual([])
  })

  it('has no source file of more than 300 lines', () => {
    const long = SOURCES.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    expect(long.filter(({ lines }) => lines > 300)).toEqual([])
  })
})

describe('each rule', () => {
  const file = (path: string, text: string) => [{ path, text }]

  it('finds an import across parts, relative or by name', () => {
    expect(wrongImports(file('operator/a.ts', "import { b } from '../gateway/b.ts'"))).toHaveLength(
      1,
    )
    expect(wrongImports(file('api/a.ts', "import type { B } from '#core/b'"))).toHaveLength(1)
    expect(wrongImports(file('core/a.ts', "import type { B } from '#api/b'"))).toEqual([])
    expect(wrongImports(file('infra/a.ts', "await import('../policies/b.ts')"))).toHaveLength(1)
  })

  it('finds a package that the image lacks, and takes a type for none', () => {
    const lacking =
      "import {\n  run,\n} from 'vitest/node'\nconst a = await import('@pulumi/pulumi')"
    expect(packagesMissing(file('gateway/a.ts', lacking))).toEqual([
      'gateway/a.ts imports vitest',
      'gateway/a.ts imports @pulumi/pulumi',
    ])
    expect(packagesMissing(file('gateway/a.ts', "import type { A } from 'vitest'"))).toEqual([])
    expect(packagesMissing(file('gateway/a.test.ts', lacking))).toEqual([])
    expect(packagesMissing(file('infra/a.ts', lacking))).toEqual([])
  })

  it('finds a circle, and neither who leads into it nor who is led out of it', () => {
    const ring = [
      { path: 'core/way-in.ts', text: "import { a } from './a.ts'" },
      { path: 'core/a.ts', text: "import type { B } from '#core/b'" },
      { path: 'core/b.ts', text: "import { a } from './a.ts'\nimport { out } from './out.ts'" },
      { path: 'core/out.ts', text: '' },
    ]
    expect(circles(ring)).toEqual(['core/a.ts', 'core/b.ts'])
    expect(circles(ring.slice(0, 2))).toEqual([])
  })

  it('finds Pulumi, the environment and SQL where they do not belong', () => {
    expect(
      pulumiOutside(file('gateway/a.ts', "import * as k8s from '@pulumi/kubernetes'")),
    ).toHaveLength(1)
    expect(environmentOutside(file('gateway/app.ts', "const a = process.env['A']"))).toHaveLength(1)
    expect(environmentOutside(file('gateway/config.ts', "const a = process.env['A']"))).toEqual([])
    expect(sqlOutside(file('gateway/a.ts', "query('select * from users')"))).toHaveLength(1)
    expect(sqlOutside(file('operator/adapters/a.ts', "query('delete from users')"))).toHaveLength(1)
    expect(
      sqlOutside(file('operator/adapters/a.ts', "query('select palisade_fence.observe($1)')")),
    ).toEqual([])
  })
})
