import { describe, expect, it } from 'vitest'
import { LocalError } from './errors.ts'
import { clock, runSteps, type Step, StepFailed, type Terminal } from './steps.ts'

function screen(): Terminal & { readonly lines: string[] } {
  const lines: string[] = []
  return { lines, line: (text) => lines.push(text), now: () => 0 }
}

const forever = new AbortController().signal
const step = (name: string, run: Step['run'], needs: string[] = []): Step => ({ name, run, needs })

describe('runSteps', () => {
  it('starts a step only after what it needs has ended, and the others beside it', async () => {
    const order: string[] = []
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const note = (name: string) => async (): Promise<string> => {
      order.push(name)
      return 'done'
    }
    const slow = async (): Promise<string> => {
      await held
      order.push('slow')
      return 'done'
    }
    const beside = async (): Promise<string> => {
      order.push('beside')
      release()
      return 'done'
    }
    await runSteps(
      [step('slow', slow), step('after', note('after'), ['slow']), step('beside', beside)],
      screen(),
      forever,
    )
    expect(order).toEqual(['beside', 'slow', 'after'])
  })

  it('stops the rest when one fails, and names the code, the remedy, the log and how to go on', async () => {
    const terminal = screen()
    let reached = false
    const failing: Step = {
      name: 'images',
      log: '/var/log/images.log',
      run: () =>
        Promise.reject(new LocalError('ERR_DISK_SPACE', 'disk is full', 'free some space')),
    }
    const later = step('stack', async () => ((reached = true), 'done'), ['images'])
    await expect(runSteps([failing, later], terminal, forever)).rejects.toBeInstanceOf(StepFailed)
    expect(reached).toBe(false)
    const text = terminal.lines.join('\n')
    for (const part of [
      '✗ images',
      'ERR_DISK_SPACE',
      'free some space',
      '/var/log/images.log',
      'make up',
    ]) {
      expect(text).toContain(part)
    }
  })

  it('aborts the steps that still run when another one fails', async () => {
    let aborted = false
    const waiting = step('waiting', ({ signal }) => {
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true
          reject(new DOMException('stopped', 'AbortError'))
        })
      })
    })
    const failing = step('failing', () => Promise.reject(new Error('broken')))
    const failure = await runSteps([waiting, failing], screen(), forever).catch((e: unknown) => e)
    expect(aborted).toBe(true)
    expect((failure as StepFailed).step.name).toBe('failing')
  })

  it('refuses a step that needs one which is not before it', async () => {
    await expect(
      runSteps([step('a', async () => '', ['b']), step('b', async () => '')], screen(), forever),
    ).rejects.toThrow('"a" needs "b"')
  })
})

describe('clock', () => {
  it('counts minutes and seconds', () => {
    expect(clock(61_500)).toBe('[ 1:01]')
  })
})
