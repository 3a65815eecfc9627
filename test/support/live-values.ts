import { kubectlJson } from './cluster.ts'
import type { Value } from './needles.ts'
import type { Vault } from './vault.ts'

const LEAST = 16
const NAMESPACES = /^(palisade-.+|shop)$/
/** Parts of Secrets that others may know, and what prometheus-operator renders, which names files and no values. */
const PUBLIC =
  /^(username|user|host|port|dbname|uri|.*\.crt|.*\.yaml(\.gz)?|pgpass|jdbc-uri|fqdn-.*)$/
/** Of a stored key: what must not be known, in contrast to its public half. */
const PRIVATE = /^(d|k|key|secret|password|pending|private.*|.*[Pp]assword)$/

interface Secret {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly data?: Record<string, string>
}

/** A private key is known by a line of its own; a list of Redis users by its passwords and digests. */
export function wordsOf(text: string): string[] {
  if (text.includes('PRIVATE KEY')) return text.split('\n').slice(2, 3)
  const words = text.split(/\s+/)
  // Only there do these signs begin a rule; a random password may begin with any of them.
  const values = text.startsWith('user ')
    ? words.filter((word) => !/^[~&+@%-]/.test(word)).map((word) => word.replace(/^[#>]/, ''))
    : words
  return values.filter((word) => word.length >= LEAST)
}

export async function valuesOfSecrets(): Promise<Value[]> {
  const { items } = await kubectlJson<{ items: Secret[] }>('get', 'secrets', '-A')
  return items
    .filter(({ metadata }) => NAMESPACES.test(metadata.namespace))
    .flatMap(({ metadata, data = {} }) =>
      Object.entries(data)
        .filter(([key]) => !PUBLIC.test(key))
        .flatMap(([key, encoded]) => {
          const bytes = Buffer.from(encoded, 'base64')
          const text = bytes.toString()
          const name = `Secret ${metadata.namespace}/${metadata.name} ${key}`
          // Random bytes are no text: they are looked for as others would write them.
          const words = Buffer.from(text).equals(bytes)
            ? wordsOf(text)
            : [encoded, bytes.toString('hex')]
          return words.map((word) => ({ name, text: word }))
        }),
    )
}

function privateParts(name: string, value: unknown): Value[] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, part]: [string, unknown]) => {
    if (typeof part !== 'string') return privateParts(`${name} ${key}`, part)
    if (/^[[{]/.test(part)) return privateParts(`${name} ${key}`, JSON.parse(part))
    return PRIVATE.test(key) && part.length >= LEAST ? [{ name: `${name} ${key}`, text: part }] : []
  })
}

async function walk(vault: Vault, token: string, mount: string, below: string): Promise<string[]> {
  const list = await vault.call(token, 'GET', `${mount}/metadata/${below}?list=true`)
  const keys = (list?.['keys'] ?? []) as string[]
  const deeper = keys.map((key) =>
    key.endsWith('/') ? walk(vault, token, mount, below + key) : Promise.resolve([below + key]),
  )
  return (await Promise.all(deeper)).flat()
}

/** Every version that is not destroyed, below one path. */
async function versions(
  vault: Vault,
  token: string,
  mount: string,
  below: string,
): Promise<Value[]> {
  const paths = await walk(vault, token, mount, below)
  const all = paths.map(async (path) => {
    const metadata = await vault.call(token, 'GET', `${mount}/metadata/${path}`)
    const known = (metadata?.['versions'] ?? {}) as Record<string, { destroyed: boolean }>
    const alive = Object.keys(known).filter((version) => !known[version]?.destroyed)
    const read = alive.map(async (version) => {
      const found = await vault.call(token, 'GET', `${mount}/data/${path}?version=${version}`)
      return privateParts(`${mount}/${path} version ${version}`, found?.['data'])
    })
    return (await Promise.all(read)).flat()
  })
  return (await Promise.all(all)).flat()
}

/** What the platform's own accounts can read, each with the rights it has. */
export async function valuesOfVault(vault: Vault): Promise<Value[]> {
  const operator = await vault.loginAs('operator', 'palisade-operator')
  const gateway = await vault.loginAs('gateway', 'palisade-gateway')
  const rotations = await kubectlJson<{ items: { metadata: { namespace: string } }[] }>(
    ...['get', 'secretrotations', '-A'],
  )
  const namespaces = [...new Set(rotations.items.map(({ metadata }) => metadata.namespace))]
  const keys = ['jwt-keys', 'audit-mac', 'head-mac'].map(async (name) => {
    const found = await vault.call(gateway, 'GET', `platform/data/gateway/${name}`)
    return privateParts(`platform/gateway/${name}`, found?.['data'])
  })
  const apps = namespaces.map(async (namespace) => {
    const token = await vault.loginAs('operator', `palisade-ns-${namespace}`)
    return versions(vault, token, 'apps', `${namespace}/`)
  })
  const state = versions(vault, operator, 'palisade-state', '')
  return (await Promise.all([...keys, ...apps, state])).flat()
}
