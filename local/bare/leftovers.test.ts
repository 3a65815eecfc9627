import { describe, expect, it } from 'vitest'
import { mountsBeneath } from './leftovers.ts'

const line = (point: string): string =>
  `36 35 98:0 / ${point} rw,noatime master:1 - ext3 /dev/root rw`

describe('mountsBeneath', () => {
  it('lists the folder and what lies in it, deepest first', () => {
    const info = [line('/s'), line('/s/a'), line('/s/a/b'), line('/sibling')].join('\n')
    expect(mountsBeneath(info, '/s')).toEqual(['/s/a/b', '/s/a', '/s'])
  })
  it('reads a space in a path', () => {
    expect(mountsBeneath(line('/my\\040state/x'), '/my state')).toEqual(['/my state/x'])
  })
})
