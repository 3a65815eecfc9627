import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dnsManifests } from './dns.ts'

const corefile = (): string => {
  const config = dnsManifests('image').find(({ kind }) => kind === 'ConfigMap')
  return (config?.data as { Corefile: string }).Corefile
}

/** Plugins stand one step in; their own settings stand further in. */
const named = (text: string): string[] =>
  [...text.matchAll(/^ {4}(\w+)/gm)].map(([, name]) => name ?? '')

const compiled = (): string[] => {
  const main = join(import.meta.dirname, '..', 'tools', 'coredns', 'main.go')
  const imports = readFileSync(main, 'utf8').matchAll(/coredns\/plugin\/(\w+)"/g)
  return [...imports].map(([, name]) => name ?? '')
}

describe('the Corefile', () => {
  it('names the plugins that CoreDNS is compiled with, and no others', () => {
    expect(compiled()).not.toEqual([])
    expect(named(corefile()).sort()).toEqual(compiled().sort())
  })
})
