import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseCommand } from './command.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..')

describe('parseCommand', () => {
  it('reads a verb and its flags', () => {
    expect(parseCommand(['down', '--purge'])).toMatchObject({
      verb: 'down',
      flags: new Set(['purge']),
    })
  })

  it.each([
    [[], 'no command was given'],
    [['start'], '"start" is no command'],
    [['constructor'], '"constructor" is no command'],
    [['up', '--fast'], "'--fast'"],
    [['up', '--purge'], "'--purge'"],
    [['down', 'now'], "'now'"],
    [['down', '--purge=no'], "'--purge'"],
  ])('refuses %j and names what it does not know', (words, named) => {
    expect(() => parseCommand(words)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(named) }),
    )
  })

  it.each([['up'], ['down'], ['destroy']])(
    '%s --help says what it takes, and does nothing',
    (verb) => {
      const { verb: asked, help } = parseCommand([verb, '--help'])
      expect(asked).toBe('help')
      expect(help).toContain(`usage: make ${verb}`)
    },
  )
})

describe('local/main.ts', () => {
  it('ends with 2 and a code after a word that it does not know', async () => {
    const started = run(process.execPath, ['local/main.ts', 'up', '--fast'], { cwd: ROOT })
    await expect(started).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^ERR_USAGE: .*'--fast'[^]*→ usage: make up \[ARGS=--cluster-only\]/,
      ),
    })
  })

  it('prints help to the standard output', async () => {
    const { stdout, stderr } = await run(process.execPath, ['local/main.ts', 'down', '--help'], {
      cwd: ROOT,
    })
    expect(stdout).toContain('--purge: delete tools')
    expect(stderr).toBe('')
  })
})

describe('make help', () => {
  it('has one line for every verb of the Makefile, without colour', async () => {
    const make = (...args: string[]) =>
      run('make', ['--no-print-directory', ...args], { cwd: ROOT })
    const database = (
      await make('--print-data-base', '--question', 'help').catch(
        (error: { stdout: string }) => error,
      )
    ).stdout
    const phony = /^\.PHONY: (.*)$/m.exec(database)?.[1]?.split(' ') ?? []
    const lines = (await make('help')).stdout.trimEnd().split('\n')
    expect(phony.length).toBeGreaterThan(5)
    expect(lines.map((line) => /^ {2}make (\S+) +\S/.exec(line)?.[1]).sort()).toEqual(phony.sort())
    expect(lines.join('')).not.toContain('\u001b')
  })
})
