import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { CONNECTIONS } from '../infra/network/connections.ts'
import { bothEnds } from '../infra/network/policies.ts'
import { commandsIn, runbookCommands } from './support/runbook-commands.ts'

const ROOT = join(import.meta.dirname, '..')
const COMMANDS = runbookCommands()

/** What our own programs can write into their logs: the source, without its tests. */
const SOURCE = execFileSync('git', ['ls-files', 'api', 'core', 'gateway', 'operator', 'infra'], {
  cwd: ROOT,
})
  .toString()
  .split('\n')
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .map((path) => readFileSync(join(ROOT, path), 'utf8'))
  .join('\n')

const OURS = /logs deploy\/(gateway|operator|sealer|edge) /
/** Production runs several pods of these, and kubectl reads one of them unless told otherwise. */
const SEVERAL = /logs deploy\/(gateway|operator|edge) (?!--all-pods)/

/** What a command looks for in the log of one of our programs; a field is looked for by its value. */
const soughtIn = (text: string): readonly string[] =>
  OURS.test(text)
    ? [...text.matchAll(/grep (?:-\w+ )*'([^']+)'/g)]
        .flatMap(([, pattern = '']) => pattern.split('|'))
        .map((pattern) => /^"\w+":"(.+)"$/.exec(pattern)?.[1] ?? pattern)
    : []

const neverWritten = (texts: readonly string[]) =>
  texts.flatMap(soughtIn).filter((phrase) => !SOURCE.includes(phrase))

describe('a runbook', () => {
  it('looks in logs only for what a program of ours can write', () => {
    const texts = COMMANDS.map(({ text }) => text)
    expect(texts.flatMap(soughtIn).length).toBeGreaterThan(10)
    expect(neverWritten(texts)).toEqual([])
  })

  it('reads the logs of every pod of a program that has several', () => {
    expect(COMMANDS.filter(({ text }) => SEVERAL.test(text))).toEqual([])
  })
})

/** A manifest that stands in a command as a whole. */
const manifestsIn = (texts: readonly string[]): readonly Manifest[] =>
  texts.flatMap((text) => {
    const [, manifest] = /kubectl apply .*<<< '(.+)'$/.exec(text) ?? []
    return manifest === undefined ? [] : [parse(manifest) as Manifest]
  })
interface Manifest {
  readonly kind: string
  readonly metadata: { readonly namespace: string; readonly name: string }
  readonly spec: object
}

describe('a policy that a runbook puts back', () => {
  const policies = CONNECTIONS.flatMap((connection) => bothEnds(connection, () => true))
  const manifests = manifestsIn(COMMANDS.map(({ text }) => text))

  it('is there', () => {
    expect(manifests.map(({ metadata }) => metadata.name)).toContain('in-sealer-to-openbao')
  })
  it.each(manifests.map((manifest) => [manifest.metadata.name, manifest] as const))(
    '%s is the one that the stack makes',
    (_, { kind, metadata, spec }) => {
      expect(kind).toBe('NetworkPolicy')
      expect(policies).toContainEqual({ ...metadata, spec })
    },
  )
})

describe('each rule', () => {
  it('finds a phrase that nobody writes, a level by number and the log of one pod', () => {
    const text = (line: string) => `## Diagnosis\n\`\`\`sh\n${line}\n\`\`\`\n`
    const [, ...wrong] = [
      "kubectl logs deploy/sealer --tail=9 | grep 'Could not seal'",
      "kubectl logs deploy/sealer --tail=9 | grep -E 'Could not weld|Could not seal'",
      'kubectl logs deploy/operator --since=1h | grep \'"level":50\'',
    ].flatMap((line) => commandsIn('Page', text(line)))
    expect(neverWritten(wrong.map((command) => command.text))).toEqual([
      'Could not weld',
      '"level":50',
    ])
    expect(wrong.map((command) => SEVERAL.test(command.text))).toEqual([false, true])
  })
})
