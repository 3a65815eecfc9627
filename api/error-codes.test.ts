import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from './error-codes.ts'

describe('ERROR_CODES', () => {
  it.each(Object.entries(ERROR_CODES))('%s has a status, a title and a way out', (code, entry) => {
    expect(code).toMatch(/^ERR_[A-Z0-9]+(_[A-Z0-9]+)*$/)
    expect(entry.status).toBeGreaterThanOrEqual(400)
    expect(entry.status).toBeLessThan(600)
    expect(entry.title.length).toBeGreaterThan(5)
    expect(entry.remedy.length).toBeGreaterThan(5)
    // Titles and remedies are joined to sentences by their users.
    expect(entry.title).not.toMatch(/[.;]$/)
    expect(entry.remedy).not.toMatch(/[.;]$/)
  })

  it('has no code that no program raises', () => {
    const programs = globSync('{core,operator,gateway,cli,infra}/**/*.ts', {
      cwd: join(import.meta.dirname, '..'),
      exclude: (path) => path.endsWith('.test.ts'),
    })
    const text = programs
      .map((path) => readFileSync(join(import.meta.dirname, '..', path), 'utf8'))
      .join('\n')
    const raised = new Set(text.match(/\bERR_[A-Z0-9_]+\b/g))
    expect(Object.keys(ERROR_CODES).filter((code) => !raised.has(code))).toEqual([])
  })

  it('says each thing once', () => {
    const titles = Object.values(ERROR_CODES).map((entry) => entry.title)
    expect(new Set(titles).size).toBe(titles.length)
  })
})
