import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { runProgram, type ProgramRun } from '../test/support/program-engine.ts'
import { exampleStack, recordProgram } from '../test/support/recorded-program.ts'

interface Project {
  readonly name: string
  readonly main: string
  readonly runtime: { readonly name: string; readonly options: { readonly typescript: boolean } }
}

const project = parse(readFileSync(new URL('../Pulumi.yaml', import.meta.url), 'utf8')) as Project
const under = (config: object) =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [`palisade:${key}`, value]))

describe('Pulumi.yaml', () => {
  it('has the official Node language host run the program as it is, without a compiler', () => {
    expect(project).toMatchObject({
      name: 'palisade',
      runtime: { name: 'nodejs', options: { typescript: false } },
    })
  })
})

// The SDK and all of Kubernetes' types are loaded by a process of its own.
describe('its main, run as the Node language host runs it', { timeout: 120_000 }, () => {
  let run: ProgramRun
  beforeAll(async () => {
    run = await runProgram(project.main, under(exampleStack()))
  }, 120_000)

  it('ends well and asks for what it asks for in every other test', async () => {
    expect(run.code, run.told).toBe(0)
    const recorded = await recordProgram(exampleStack())
    expect(run.resources.toSorted()).toEqual(
      recorded.map(({ type, name }) => `${type} ${name}`).toSorted(),
    )
  })

  it('refuses a misspelt key and a value out of range by their names, before it asks for anything', async () => {
    const wrong = { ...exampleStack(), postgres: { instances: 9 }, egde: { replicas: 1 } }
    const refused = await runProgram(project.main, under(wrong))
    expect(refused.code).not.toBe(0)
    for (const word of ['ERR_STACK_CONFIG', 'palisade:egde', 'palisade:postgres.instances'])
      expect(refused.told).toContain(word)
    expect(refused.resources).toEqual([])
  })
})
