import { describe, expect, it } from 'vitest'
import { auditPolicy } from './config.ts'

interface Rule {
  readonly level: string
  readonly verbs?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly resources?: readonly { readonly group: string; readonly resources: readonly string[] }[]
}
const { rules } = JSON.parse(auditPolicy()) as { rules: readonly Rule[] }

/** The first rule that fits decides, as in the API server. */
const levelOf = (verb: string, resource: string): string | undefined =>
  rules.find(
    ({ verbs, resources, nonResourceURLs }) =>
      !nonResourceURLs &&
      (!verbs || verbs.includes(verb)) &&
      (!resources || resources.some((one) => one.group === '' && one.resources.includes(resource))),
  )?.level

describe('auditPolicy', () => {
  // kubectl opens these as a WebSocket, which is a GET.
  it.each(['pods/portforward', 'pods/exec', 'pods/attach', 'pods/proxy', 'services/proxy'])(
    'records who opened %s, whatever the verb',
    (resource) => {
      expect([levelOf('get', resource), levelOf('create', resource)]).toEqual([
        'Metadata',
        'Metadata',
      ])
    },
  )
  it('records who read a Secret and who changed a pod, and not who listed pods', () => {
    expect(levelOf('get', 'secrets')).toBe('Metadata')
    expect(levelOf('delete', 'pods')).toBe('Metadata')
    expect(levelOf('list', 'pods')).toBe('None')
  })
  it('records no body, which would be a copy of a secret', () => {
    expect(rules.filter(({ level }) => !['None', 'Metadata'].includes(level))).toEqual([])
  })
})
