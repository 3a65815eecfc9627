import { describe, expect, it } from 'vitest'
import { enableCommand } from './enable.ts'

describe('palisade enable', () => {
  it.each(['', '..', 'Shop', 'a/b', 'a,b', '*', `${'a'.repeat(64)}`])(
    'refuses %j as a namespace',
    async (name) => {
      await expect(enableCommand.run([name], () => undefined)).rejects.toMatchObject({
        code: 'ERR_USAGE',
      })
    },
  )
})
