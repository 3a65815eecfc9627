import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exec } from './exec.ts'
import { withFailureLog } from './failure-log.ts'
import { logDir } from './paths.ts'
import { runSteps, type Step, StepFailed, type Terminal } from './steps.ts'

const { XDG_STATE_HOME } = process.env
let home: string
let log: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'palisade-failure-log-'))
  process.env.XDG_STATE_HOME = home
  log = join(logDir(), 'other-tools.log')
})
afterEach(() => {
  if (XDG_STATE_HOME === undefined) delete process.env.XDG_STATE_HOME
  else process.env.XDG_STATE_HOME = XDG_STATE_HOME
  rmSync(home, { recursive: true })
})

async function run(work: Step['run'], signal = new AbortController().signal): Promise<string> {
  const lines: string[] = []
  const terminal: Terminal = { line: (text) => lines.push(text), now: () => 0 }
  const step = withFailureLog({ name: 'other tools', run: work })
  await runSteps([step], terminal, signal).catch((error: unknown) => {
    if (!(error instanceof StepFailed)) throw error
  })
  return lines.join('\n')
}

describe('withFailureLog', () => {
  it('keeps all that a failing program said, where the terminal says, for its owner alone', async () => {
    const said = await run(() => exec('sh', ['-c', 'seq 1 40; seq 41 80 >&2; exit 3']))
    expect(said).toContain(`log: ${log}`)
    expect(said).not.toContain('\n41\n')
    const kept = readFileSync(log, 'utf8').split('\n')
    const numbers = Array.from({ length: 80 }, (_, index) => String(index + 1))
    expect(numbers.filter((number) => !kept.includes(number))).toEqual([])
    expect(kept.join('\n')).toContain('sh -c ended with 3')
    expect(statSync(log).mode & 0o777).toBe(0o600)
    expect(statSync(logDir()).mode & 0o777).toBe(0o700)
  })

  it('makes nothing when the step does well, or is stopped', async () => {
    expect(await run(async () => 'unchanged')).toContain('unchanged')
    const stop = new AbortController()
    const stopped = (): Promise<string> => {
      stop.abort()
      return Promise.reject(new Error('stopped'))
    }
    await run(stopped, stop.signal)
    expect(existsSync(logDir())).toBe(false)
  })

  it('tells why the step failed also where no log can be written', async () => {
    writeFileSync(join(home, 'palisade'), 'a file where the state folder would be')
    expect(await run(() => Promise.reject(new Error('the disk is full')))).toContain(
      'the disk is full',
    )
  })
})
