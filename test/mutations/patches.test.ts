import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseHeader, readMutations } from './mutation.ts'

const ROOT = join(import.meta.dirname, '../..')
const README = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
const rows = [...README.matchAll(/^\| ([a-z-]+) \| [A-Z]/gm)].map(([, id]) => id)
const mutations = readMutations()

/** Whole texts in quotes of a source, each as a form in which %s and its like stand for anything. */
function titleForms(source: string): RegExp[] {
  const quoted = [...source.matchAll(/(['"`])((?:\\.|(?!\1)[^\\\n])+)\1/g)]
  return quoted.map(([, , text = '']) => {
    const plain = text.replace(/\\(.)/g, '$1').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    return new RegExp(`^${plain.replace(/%[sdifjoO]/g, '.+')}$`)
  })
}

describe('the table of bugs', () => {
  it.each(rows)('has a patch for %s', (id) => {
    expect(mutations.map(({ row }) => row)).toContain(id)
  })
})

describe('a patch', () => {
  it.each(mutations.map((mutation) => [mutation.name, mutation] as const))(
    '%s names a row of the table and a test that exists in a file of its project',
    (_, { row, file, project, test }) => {
      expect(rows).toContain(row)
      expect(/\.postgres\.test\.ts$/.test(file) ? 'postgres' : 'unit').toBe(project)
      const forms = titleForms(readFileSync(join(ROOT, file), 'utf8'))
      const unknown = test.split(' > ').filter((title) => !forms.some((form) => form.test(title)))
      expect(unknown).toEqual([])
    },
  )
})

describe('the patches', () => {
  it('fit the sources as they are: one that does not is made again as the README says', () => {
    const stale = mutations.filter(({ path }) => {
      const run = () =>
        execFileSync('git', ['apply', '--check', path], { cwd: ROOT, stdio: 'pipe' })
      return !succeeds(run)
    })
    expect(stale.map(({ name }) => name)).toEqual([])
  })
})

function succeeds(act: () => unknown): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}

describe('parseHeader', () => {
  const head = {
    ...{ Bug: 'b', Seen: 's', Row: 'fork', Project: 'unit', File: 'a.test.ts', Test: 'a > b' },
  }
  const patch = (over: object = {}) =>
    Object.entries({ ...head, ...over })
      .map(([key, value]) => `${key}: ${String(value)}\n`)
      .join('') + '\ndiff --git a/x b/x\n+Bug: in the diff\n'

  it('reads the lines before the diff alone', () => {
    expect(parseHeader('01', patch())).toEqual({
      ...{ name: '01', bug: 'b', seen: 's', row: 'fork' },
      ...{ project: 'unit', file: 'a.test.ts', test: 'a > b' },
    })
  })

  it.each([
    ['an empty line of the header', patch({ Seen: '' }), /"Seen: \.\.\."/],
    ['two lines of one key', `Bug: again\n${patch()}`, /"Bug: \.\.\."/],
    ['another project', patch({ Project: 'cluster' }), /unit or postgres/],
    ['no diff', 'Bug: b\n', /diff --git/],
  ])('refuses %s, and names it', (_, text, why) => {
    expect(() => parseHeader('01', text)).toThrow(why)
    expect(() => parseHeader('01', text)).toThrow(/^01: /)
  })
})
