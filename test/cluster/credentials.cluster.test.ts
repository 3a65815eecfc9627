import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { kubectlJson } from '../support/cluster.ts'
import { tryLogin } from '../support/database.ts'

const PAGE = join(import.meta.dirname, '../../docs/architecture/bootstrap.md')
/** What cert-manager keeps for itself is its own to list. */
const OURS = /^(palisade-[a-z]+\/.+|cert-manager\/palisade-.+)$/

interface Secret {
  readonly metadata: { readonly namespace: string; readonly name: string }
  readonly data?: Readonly<Record<string, string>>
}

/** What the table of credentials names as places: `name`, `namespace/name`, with `*` or `<component>` for any ending. */
function places(): RegExp[] {
  const [, table = ''] = readFileSync(PAGE, 'utf8').split('## Every credential\n')
  return table
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .flatMap((line) => [...(line.split(' | ')[2] ?? '').matchAll(/`([^`]+)`/g)])
    .map(([, name = '']) => {
      const parts = name
        .split(/<[a-z]+>|\*/)
        .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      return new RegExp(`^${name.includes('/') ? '' : '[^/]+/'}${parts.join('.*')}$`)
    })
}

const nameOf = ({ metadata: { namespace, name } }: Secret) => `${namespace}/${name}`

let secrets: Secret[]
beforeAll(async () => {
  const { items } = await kubectlJson<{ items: Secret[] }>('get', 'secrets', '-A')
  secrets = items.filter((one) => OURS.test(nameOf(one)))
})

describe('docs/architecture/bootstrap.md', () => {
  it('names every Secret of the platform among its credentials', () => {
    const known = places()
    const names = secrets.map(nameOf)
    expect(names.length).toBeGreaterThan(10)
    expect(names.filter((name) => !known.some((place) => place.test(name)))).toEqual([])
  })
})

describe('the password that CloudNativePG made for the owner of the database', () => {
  it('opens nothing', async () => {
    const made = secrets.find(({ metadata: { name } }) => name === 'palisade-db-app')
    const text = (key: string) => Buffer.from(made?.data?.[key] ?? '', 'base64').toString()
    expect(text('username')).toBe('palisade_owner')
    expect(await tryLogin(text('username'), text('password'), text('dbname'))).toMatch(/^28/)
  })
})
