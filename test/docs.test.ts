import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
]

/** Targets of relative links in a Markdown page. */
const links = (text: string): string[] =>
  [...text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].flatMap((match) => match[1] ?? [])

describe('docs', () => {
  it.each(pages)('%s links only to files that exist', (page) => {
    const text = readFileSync(join(root, page), 'utf8')
    const dead = links(text).filter((link) => !existsSync(join(root, dirname(page), link)))
    expect(dead).toEqual([])
  })
})

describe('a decision', () => {
  const folder = join(root, 'docs/adr')
  const files = readdirSync(folder).filter((file) => /^\d{4}-/.test(file))
  const index = readFileSync(join(folder, 'README.md'), 'utf8')

  it.each(files)(
    '%s has a number of its own, and the title by which the index names it',
    (file) => {
      const number = file.slice(0, 4)
      const [, title] = /^# \d{4}\. (.+)\n/.exec(readFileSync(join(folder, file), 'utf8')) ?? []
      expect(index).toContain(`| [${number}](${file}) | ${title} |\n`)
      expect(files.filter((other) => other.startsWith(number))).toEqual([file])
    },
  )
})

describe('a tracked file', () => {
  /** Of git; a heading of Markdown may be underlined as the middle one is. */
  const MARKER = '^(<<<<<<<|>>>>>>>) '

  it('holds no marker of a merge that was not finished', () => {
    const found = spawnSync('git', ['grep', '-nIE', MARKER], { cwd: root, encoding: 'utf8' })
    expect(found.stdout).toBe('')
    expect(found.status).toBe(1)
  })
  it.each(['<'.repeat(7) + ' HEAD', '>'.repeat(7) + ' 28e42ce (why)'])('would show %s', (line) => {
    expect(new RegExp(MARKER, 'm').test(`one\n${line}\ntwo`)).toBe(true)
  })
})

describe('threat model', () => {
  const rows = readFileSync(join(root, 'docs/threat-model.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| T\d+[a-z]? /.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))

  it('has rows', () => {
    expect(rows.length).toBeGreaterThan(0)
  })
  it.each(rows.map((cells) => [cells[1], cells[4]]))('%s names tests that exist', (_, shownBy) => {
    const files = [...(shownBy ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
    expect(files).not.toEqual([])
    expect(
      files.filter((file) => !/\.test\.ts$/.test(file) || !existsSync(join(root, file))),
    ).toEqual([])
  })
})
