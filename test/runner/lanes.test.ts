import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { runLanes } from './lanes.ts'
import type { Part, Step } from './parts.ts'

const step = (name: string, more: Partial<Step> = {}): Step => ({ name, command: [name], ...more })
const part = (name: string, more: Partial<Part> = {}): Part => ({
  ...{ name, budgetMinutes: 1, apart: [], onPlatform: [], ...more },
})

/** Begin and end of each step, in the order in which they came. */
async function trace(...parts: Part[]): Promise<string[]> {
  const seen: string[] = []
  await runLanes(parts, async (_part, { name, waits }) => {
    seen.push(`${name} begins`)
    await sleep(waits ? 60 : 10)
    seen.push(`${name} ends`)
  })
  return seen
}

describe('runLanes', () => {
  it('runs the servers of tests beside the platform', async () => {
    const both = part('both', { apart: [step('servers')], onPlatform: [step('platform')] })
    expect((await trace(both)).slice(0, 2).sort()).toEqual(['platform begins', 'servers begins'])
  })

  it('runs one step after the other on the platform, what comes last in the end and backwards', async () => {
    const first = part('first', { onPlatform: [step('one')], last: [step('very last')] })
    const second = part('second', { onPlatform: [step('two')], last: [step('last')] })
    expect(await trace(first, second)).toEqual(
      ['one', 'two', 'last', 'very last'].flatMap((name) => [`${name} begins`, `${name} ends`]),
    )
  })

  it('keeps a step that waits company, and goes on when both have ended', async () => {
    const waiting = part('waiting', {
      onPlatform: [step('waits', { waits: true }), step('next')],
    })
    const other = part('other', { beside: [step('company')] })
    const seen = await trace(waiting, other)
    expect(seen.slice(0, 2).sort()).toEqual(['company begins', 'waits begins'])
    expect(seen.slice(2)).toEqual(['company ends', 'waits ends', 'next begins', 'next ends'])
  })

  it('runs what would keep company by itself where nothing waits', async () => {
    const other = part('other', { beside: [step('company')], last: [step('last')] })
    expect(await trace(other)).toEqual(
      ['company', 'last'].flatMap((name) => [`${name} begins`, `${name} ends`]),
    )
  })
})
