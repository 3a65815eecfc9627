import { afterEach, describe, expect, it } from 'vitest'
import { upSteps } from './up.ts'

const { PALISADE_BACKEND } = process.env
afterEach(() => {
  if (PALISADE_BACKEND === undefined) delete process.env.PALISADE_BACKEND
  else process.env.PALISADE_BACKEND = PALISADE_BACKEND
})

describe('upSteps', () => {
  it.each(['bare', 'kind'])(
    'have each a log to name when they fail, but for the look at the machine, which makes nothing (%s)',
    async (backend) => {
      process.env.PALISADE_BACKEND = backend
      const logs = (await upSteps()).map(({ name, log = '' }) => [name, log] as const)
      const without = logs.filter(([, log]) => !log.endsWith('.log'))
      expect(without).toEqual([['preflight', '']])
    },
  )
})
