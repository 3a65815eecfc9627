import { globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PARTS } from './parts.ts'

const ROOT = join(import.meta.dirname, '../..')
const files = globSync('**/*.{postgres,apiserver,promtool,cluster}.test.ts', {
  cwd: ROOT,
  exclude: (name) => name === 'node_modules',
})
const selections = PARTS.flatMap(({ apart, onPlatform, beside = [], last = [] }) => [
  ...[...apart, ...onPlatform, ...beside, ...last],
]).flatMap((step) => step.vitest ?? [])

/** What a file needs is its project, as in vitest.config.ts. */
function projectOf(file: string): string | undefined {
  const [, need] = /\.(\w+)\.test\.ts$/.exec(file) ?? []
  return need === 'apiserver' && file.startsWith('operator/') ? 'operator' : need
}

describe('PARTS', () => {
  it.each(files)('runs %s exactly once', (file) => {
    const chosen = selections.filter(
      (selection) =>
        selection.project === projectOf(file) &&
        (selection.filters.length === 0 || selection.filters.some((text) => file.includes(text))),
    )
    expect(chosen).toHaveLength(1)
  })

  it('chooses no test by a filter that matches nothing', () => {
    const idle = selections.flatMap(({ project, filters }) =>
      project === 'unit'
        ? []
        : filters.filter(
            (text) => !files.some((f) => f.includes(text) && projectOf(f) === project),
          ),
    )
    expect(idle).toEqual([])
  })

  it('keeps others company once', () => {
    const waiting = PARTS.flatMap((part) => part.onPlatform).filter((step) => step.waits)
    expect(waiting).toHaveLength(1)
  })

  it('has the platform in one lane alone, but for what minds nobody there', () => {
    const apart = PARTS.flatMap((part) => part.apart)
    expect(apart.filter(({ vitest }) => vitest?.project === 'cluster')).toEqual([])
    const shared = PARTS.flatMap(({ onPlatform, last = [] }) => [...onPlatform, ...last])
    const ofOthers = shared.filter(({ vitest }) => vitest?.project !== 'cluster')
    // It mostly waits, so it has time for servers on ports of their own.
    expect(ofOthers.map(({ vitest }) => vitest?.filters)).toEqual([['test/mutations/']])
  })
})
