import { describe, expect, it } from 'vitest'
import { keepOperatorLogin, type Store } from './operator-login.ts'

/** KV v2 with its rule: a write names the version that it replaces. */
const memory = (before?: { data: object; version: number }) => {
  let kept = before
  const store: Store = {
    async call(method, _path, body) {
      if (method === 'GET') {
        if (kept === undefined) return { status: 404, body: {} }
        return {
          status: 200,
          body: { data: { data: kept.data, metadata: { version: kept.version } } },
        }
      }
      const { data, options } = body as { data: object; options: { cas: number } }
      if (options.cas !== (kept?.version ?? 0)) return { status: 400, body: {} }
      kept = { data, version: options.cas + 1 }
      return { status: 200, body: {} }
    },
  }
  return { store, kept: () => kept }
}

describe('keepOperatorLogin', () => {
  it('makes a password once and keeps it when it runs again', async () => {
    const { store, kept } = memory()
    const first = await keepOperatorLogin(store, 'ca')
    const second = await keepOperatorLogin(store, 'ca')
    expect(second.password.reveal()).toBe(first.password.reveal())
    expect(first.password.reveal()).toHaveLength(43)
    expect(kept()?.version).toBe(1)
  })

  it('follows the authority of the connection Secret and keeps the password', async () => {
    const { store, kept } = memory()
    const { password } = await keepOperatorLogin(store, 'old')
    await keepOperatorLogin(store, 'new')
    expect(kept()?.data).toMatchObject({ ca: 'new', password: password.reveal() })
  })

  it('takes the password of the Job that was first', async () => {
    const { store } = memory()
    const theirs = await keepOperatorLogin(store, 'ca')
    let reads = 0
    const late: Store = {
      call: (method, path, body) =>
        method === 'GET' && reads++ === 0
          ? Promise.resolve({ status: 404, body: {} })
          : store.call(method, path, body),
    }
    const ours = await keepOperatorLogin(late, 'ca')
    expect(ours.password.reveal()).toBe(theirs.password.reveal())
  })

  it('shows no password when it is printed', async () => {
    const login = await keepOperatorLogin(memory().store, 'ca')
    expect(JSON.stringify(login)).toBe('{"username":"palisade_operator","password":"[sealed]"}')
  })
})
