import { describe, expect, it } from 'vitest'
import { COMMANDS } from './commands.ts'
import { dispatch, type Commands } from './dispatch.ts'

async function told(args: readonly string[], commands: Commands = COMMANDS) {
  const lines: string[] = []
  const code = await dispatch(commands, args, (line) => lines.push(line))
  return { code, lines, text: lines.join('\n') }
}

const usages = (lines: readonly string[]) =>
  lines.flatMap((line) => /^ {2}palisade (.*)/.exec(line)?.[1] ?? [])

const everyCommand = [...COMMANDS]
const ofAudit = everyCommand.flatMap(([name, { usage }]) =>
  name.startsWith('audit ') ? [usage] : [],
)

/** Commands that say how they were run. */
const spoken = (...names: string[]): Commands =>
  new Map(
    names.map((name) => [
      name,
      {
        usage: `${name} <x>`,
        summary: 's',
        async run(args: readonly string[], out: (line: string) => void) {
          out(`${name}(${args.join(',')})`)
          return 7
        },
      },
    ]),
  )

describe('dispatch', () => {
  it.each(everyCommand)(
    '%s --help shows how it is called, and does nothing',
    async (name, { usage }) => {
      for (const args of [
        [...name.split(' '), '--help'],
        ['help', ...name.split(' ')],
      ]) {
        const { code, lines } = await told(args)
        expect(code).toBe(0)
        expect(usages(lines)).toEqual([usage])
      }
      expect((await told([...name.split(' '), 'x', '-h'])).code).toBe(0)
    },
  )

  it.each(everyCommand)(
    '%s is called by its own name, and its mistakes name no other',
    (name, command) => {
      expect(command.usage.startsWith(name)).toBe(true)
      expect(command.usage.length).toBeLessThan(200)
    },
  )

  it.each([[['audit']], [['audit', '--help']], [['help', 'audit']]])(
    'lists for %j what begins with it',
    async (args) => {
      const { code, lines, text } = await told(args)
      expect(code).toBe(0)
      expect(usages(lines)).toEqual(ofAudit)
      expect(text).toContain('PALISADE_TOKEN_FILE')
    },
  )

  it.each([[[]], [['help']], [['--help']], [['-h']]])('lists for %j everything', async (args) => {
    expect(usages((await told(args)).lines)).toHaveLength(COMMANDS.size)
  })

  it.each([
    [['burn'], 'there is no command "burn"'],
    [['constructor'], 'there is no command "constructor"'],
    [['audit', 'burn'], /"audit burn"; call it as: palisade audit <export\|.*\|recover>/],
  ])('refuses %j and says what there is', async (args, message) => {
    await expect(told(args)).rejects.toMatchObject({ code: 'ERR_USAGE' })
    await expect(told(args)).rejects.toThrow(message)
  })

  it('runs the longest name with what stands behind it', async () => {
    const commands = spoken('a', 'a b')
    expect((await told(['a', 'b', 'c'], commands)).lines).toEqual(['a b(c)'])
    expect((await told(['a', 'c', 'd'], commands)).lines).toEqual(['a(c,d)'])
    expect((await told(['a', '--', '--help'], commands)).code).toBe(7)
  })
})
