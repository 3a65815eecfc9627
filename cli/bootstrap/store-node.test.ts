import { describe, expect, it } from 'vitest'
import { type AskNode, chooseConfig } from './store-node.ts'

const OTHERS = ['https://one', 'https://two']
const answers =
  (one: boolean | undefined, two: boolean | undefined): AskNode =>
  async (address) =>
    address === OTHERS[0] ? one : two

const never = (): Promise<void> => Promise.reject(new Error('waits'))
const choose = (ask: AskNode, { pod = 'openbao-0', hasData = false, pause = never } = {}) =>
  chooseConfig({ pod, hasData, others: OTHERS, ask, pause })

describe('chooseConfig', () => {
  it('lets the first node make the store when every other one belongs to none', async () => {
    expect(await choose(answers(false, false))).toBe('first')
  })

  it('lets no other node make one', async () => {
    expect(await choose(answers(false, false), { pod: 'openbao-1' })).toBe('join')
  })

  it('has a first node that lost its volume join the others', async () => {
    expect(await choose(answers(true, undefined))).toBe('join')
  })

  it('waits while a node is silent, until it speaks', async () => {
    await expect(choose(answers(false, undefined))).rejects.toThrow('waits')
    let silent = 2
    const ask: AskNode = async (address) =>
      address === OTHERS[1] && silent > 0 ? undefined : false
    expect(
      await choose(ask, {
        pause: async () => {
          silent -= 1
        },
      }),
    ).toBe('first')
  })

  it('starts a first node that has its data although the others are away', async () => {
    expect(await choose(answers(undefined, undefined), { hasData: true })).toBe('join')
  })
})
