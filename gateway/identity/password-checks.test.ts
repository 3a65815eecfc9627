import { describe, expect, it } from 'vitest'
import { PasswordChecks } from './password-checks.ts'

/** Checks that end when the test says so. */
function held() {
  const ends: (() => void)[] = []
  let most = 0
  let running = 0
  const verify = async () => {
    most = Math.max(most, (running += 1))
    await new Promise<void>((resolve) => ends.push(resolve))
    running -= 1
    return true
  }
  const endAll = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    for (let end = ends.shift(); end; end = ends.shift()) {
      end()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { verify, endAll, most: () => most }
}

describe('PasswordChecks', () => {
  it('computes 2 at once, lets 16 wait and refuses the 19th with 503', async () => {
    const { verify, endAll, most } = held()
    let refused = 0
    const checks = new PasswordChecks({ verify, onRefused: () => (refused += 1) })
    const all = Array.from({ length: 19 }, () => checks.verify('p', 'h'))
    await expect(all[18]).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE', status: 503 })
    await endAll()
    await expect(Promise.all(all.slice(0, 18))).resolves.toEqual(Array(18).fill(true))
    expect(most()).toBe(2)
    expect(refused).toBe(1)
  })

  it('takes new ones after a flood, and after checks that failed', async () => {
    const failing = new PasswordChecks({ verify: () => Promise.reject(new Error('no hash')) })
    for (let i = 0; i < 10; i += 1) {
      await expect(failing.verify('p', 'h')).rejects.toThrow('no hash')
    }
    const { verify, endAll } = held()
    const checks = new PasswordChecks({ verify, concurrent: 1, waiting: 0 })
    const first = checks.verify('p', 'h')
    await expect(checks.verify('p', 'h')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' })
    await endAll()
    await first
    const second = checks.verify('p', 'h')
    await endAll()
    await expect(second).resolves.toBe(true)
  })
})
