import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Component } from '../spec.ts'
import { Supervisor } from './supervisor.ts'

let supervisor: Supervisor | undefined
afterEach(async () => {
  await supervisor?.stop()
})

/** Real processes that write their name into one file when they start and when they end. */
async function bench(): Promise<{
  readonly folder: string
  readonly component: (name: string, more?: Partial<Component>) => Component
  readonly events: () => Promise<string[]>
}> {
  const folder = await mkdtemp(join(tmpdir(), 'supervisor-'))
  const journal = join(folder, 'journal')
  await writeFile(journal, '')
  const script = `echo "+$0" >> ${journal}; trap 'echo "-$0" >> ${journal}; exit' TERM; while :; do sleep 0.05; done`
  return {
    folder,
    component: (name, more = {}) => ({ name, argv: ['sh', '-c', script, name], ...more }),
    events: async () => (await readFile(journal, 'utf8')).split('\n').filter(Boolean),
  }
}

const start = (folder: string, components: Component[], ready = true): Promise<void> => {
  supervisor = new Supervisor(
    folder,
    async () => ready,
    () => {},
  )
  return supervisor.run(components)
}

async function eventually(events: () => Promise<string[]>, count: number): Promise<string[]> {
  for (let i = 0; i < 100; i++) {
    const seen = await events()
    if (seen.length >= count) return seen
    await sleep(50)
  }
  return events()
}

describe('Supervisor', () => {
  it('stops what needs another before that other', async () => {
    const { folder, component, events } = await bench()
    const run = start(folder, [component('etcd'), component('api', { needs: ['etcd'] })])
    await eventually(events, 2)
    await supervisor?.stop()
    await run
    // Which of two shells is the first to write that it runs is not ours to say.
    const [, , ...ends] = await events()
    expect(ends).toEqual(['-api', '-etcd'])
  })

  it('tells that one has ended before it stops what that one needed', async () => {
    const { folder, component, events } = await bench()
    const run = start(folder, [component('api'), component('kubelet', { needs: ['api'] })])
    await eventually(events, 2)
    const seen: string[] = []
    await supervisor?.stop(async (name) => {
      await sleep(100)
      seen.push(name, ...(await events()).filter((event) => event.startsWith('-')))
    })
    await run
    expect(seen).toEqual(['kubelet', '-kubelet', 'api', '-kubelet', '-api'])
  })

  it('holds a component back until what it needs is ready', async () => {
    const { folder, component, events } = await bench()
    void start(
      folder,
      [component('api', { ready: ['url'] }), component('kubelet', { needs: ['api'] })],
      false,
    )
    await eventually(events, 1)
    await sleep(400)
    expect(await events()).toEqual(['+api'])
  })

  it('starts a component again when it ends', async () => {
    const { folder, component, events } = await bench()
    const script = `echo "+crash" >> ${join(folder, 'journal')}; exit 3`
    void start(folder, [component('crash', { argv: ['sh', '-c', script] })])
    expect((await eventually(events, 2)).slice(0, 2)).toEqual(['+crash', '+crash'])
  })

  it('waits for a program that is still being built', async () => {
    const { folder, component, events } = await bench()
    const program = join(folder, 'tool')
    void start(folder, [component('late', { files: [program] })])
    await sleep(400)
    expect(await events()).toEqual([])
    await writeFile(program, '')
    expect(await eventually(events, 1)).toEqual(['+late'])
  })
})
