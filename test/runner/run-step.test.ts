import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { runStep } from './run-step.ts'

const run = (program: string, ...args: string[]) =>
  runStep({ name: 'a step', command: [program, ...args] }, { reports: tmpdir(), prefix: '1| ' })

describe('runStep', () => {
  it('counts a command that ends well as one test', async () => {
    expect(await run('node', '-e', '0')).toMatchObject({ passed: 1, failed: 0 })
  })
  it('counts a command that fails, is killed or is not there as one failure', async () => {
    const failures = [
      run('node', '-e', 'process.exit(3)'),
      run('node', '-e', 'process.kill(process.pid, "SIGKILL")'),
      run('no-such-program'),
    ]
    for (const failure of failures) expect(await failure).toMatchObject({ passed: 0, failed: 1 })
  })
  it('does not wait for a process that was left behind with its output', async () => {
    const leave = `require('child_process').spawn('sleep', ['30'], { stdio: 'inherit', detached: true }).unref()`
    const ended = run('node', '-e', leave).then(() => 'ended')
    const late = new Promise((resolve) => setTimeout(resolve, 20_000, 'waits').unref())
    expect(await Promise.race([ended, late])).toBe('ended')
  }, 30_000)
})
