import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { createFailpoint } from './failpoints.ts'

const dir = mkdtempSync(join(tmpdir(), 'palisade-failpoint-'))
const file = join(dir, 'armed')
beforeEach(() => rmSync(file, { force: true }))
afterAll(() => rmSync(dir, { recursive: true }))

/** A process of its own that comes by the place and writes down each passage it survives. */
function passages(script: string) {
  const text = `
    import { writeFileSync } from 'node:fs'
    import { createFailpoint } from '${join(import.meta.dirname, 'failpoints.ts')}'
    const arm = (text) => writeFileSync('${file}', text)
    const failpoint = createFailpoint({ file: '${file}' })
    const pass = (name, of) => { failpoint(name, of); console.log(name) }
    ${script}`
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', text], {
    encoding: 'utf8',
  })
  return { signal, survived: stdout.trim().split('\n') }
}

describe('a failpoint that a file arms', () => {
  it('lets everything pass while there is no file or nothing in it', () => {
    const failpoint = createFailpoint({ file })
    expect(failpoint('setVerifier.before')).toBeUndefined()
    writeFileSync(file, '')
    expect(failpoint('setVerifier.before')).toBeUndefined()
  })

  it('kills at the second passage after it was armed, whatever passed before', () => {
    const { signal, survived } = passages(`
      pass('a.before'); pass('a.before'); pass('a.before')
      arm('a.before:kill@2')
      pass('a.before'); pass('b.before'); pass('a.before')`)
    expect(signal).toBe('SIGKILL')
    expect(survived).toEqual(['a.before', 'a.before', 'a.before', 'a.before', 'b.before'])
  })

  it('kills at a passage of the resource that it names, and of no other', () => {
    const { signal, survived } = passages(`
      arm('shop/orders-db:a.before:kill')
      pass('a.before'); pass('a.before', 'shop/ledger-db'); pass('b.before', 'shop/orders-db')
      pass('a.before', 'shop/orders-db')`)
    expect(signal).toBe('SIGKILL')
    expect(survived).toEqual(['a.before', 'a.before', 'b.before'])
  })

  it('is disarmed by another text', () => {
    const { signal, survived } = passages(`
      arm('a.before:kill'); pass('b.after')
      arm(''); pass('a.before')`)
    expect(signal).toBeNull()
    expect(survived).toEqual(['b.after', 'a.before'])
  })

  it('fails the pass that finds a text which is no failpoint', () => {
    writeFileSync(file, 'soon')
    expect(() => createFailpoint({ file })('setVerifier.before')).toThrow(/not a failpoint: "soon"/)
  })
})
