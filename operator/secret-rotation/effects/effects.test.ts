import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  AFTER_A_RESTORE,
  ALONG_THE_WAY,
  ELSEWHERE,
  IN_A_ROTATION,
  SIDES,
} from '../../../test/support/crash-places.ts'
import { EFFECTS } from './effect.ts'

const SOURCES = globSync('**/*.ts', { cwd: join(import.meta.dirname, '..') })
  .filter((file) => !/test|\/effect\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(import.meta.dirname, '..', file), 'utf8') }))

/** Calls of ports that change something outside; reads are free. */
const CHANGES =
  /\b(?:values\.(?:write|destroy)|states\.write|secrets\.apply|consumers\.patch|database\.(?:setVerifier|tryLogin|disable|enable|destroyVerifier|terminate|release|adopt|resync))\(/g
/** Delivering the outbox repeats itself harmlessly, and a login that is tried changes nothing. */
const FREE = new Set(['deliver-audit.ts', 'current-login.ts'])

describe('effects', () => {
  it('are all used, and nothing is used that is not in the list', () => {
    const used = SOURCES.flatMap(({ text }) => [
      ...[...text.matchAll(/effect\(\s*deps,\s*'(\w+)'/g)].map((match) => match[1]),
      ...[...text.matchAll(/effect: '(\w+)'/g)].map((match) => match[1]),
    ])
    expect([...new Set(used)].sort()).toEqual([...EFFECTS].sort())
  })

  it('are the only way out: each changing call stands inside one', () => {
    const outside = SOURCES.filter(({ file }) => !FREE.has(file)).flatMap(({ file, text }) =>
      [...text.matchAll(CHANGES)]
        .filter(
          ({ index }) =>
            !/effect\(\s*deps|\bact: \(/.test(text.slice(Math.max(0, index - 160), index)),
        )
        .map(([call]) => `${file}: ${call}`),
    )
    expect(outside).toEqual([])
  })

  it('are each killed before and after in the crash tests', () => {
    expect(['recordState', ...IN_A_ROTATION, ...ELSEWHERE, ...AFTER_A_RESTORE].sort()).toEqual(
      [...EFFECTS].sort(),
    )
    const crash = readFileSync(join(import.meta.dirname, '../crash.apiserver.test.ts'), 'utf8')
    expect(crash).toContain('of IN_A_ROTATION')
    const missing = ELSEWHERE.filter(
      (effect) =>
        !crash.includes(`${effect}.\${side}`) &&
        !SIDES.every((side) => crash.includes(`${effect}.${side}`)),
    )
    expect(missing).toEqual([])
    const restore = readFileSync(join(import.meta.dirname, '../restore.apiserver.test.ts'), 'utf8')
    for (const effect of AFTER_A_RESTORE) expect(restore).toContain(`${effect}.\${side}`)
  })

  it('of a rotation are all on the way on which the platform kills an operator', () => {
    const sides = IN_A_ROTATION.flatMap((effect) => SIDES.map((side) => `${effect}.${side}`))
    const known = ['recordState.before', 'recordState.after', ...sides]
    expect([...new Set(ALONG_THE_WAY)].sort()).toEqual(known.sort())
  })
})
