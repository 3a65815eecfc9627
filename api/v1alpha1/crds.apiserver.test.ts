import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApiServer, type TestApiServer } from '../../test/support/apiserver.ts'

let api: TestApiServer
beforeAll(async () => {
  api = await startApiServer()
  await api.installCrds()
})
afterAll(() => api?.stop())
describe('x', () => {
  it('serves', async () => {
    expect(await api.kubectl('get', 'crd')).toContain('secretrotations')
  })
})
