import { describe, expect, it } from 'vitest'
import { componentsOf, type ToolPaths } from './components.ts'
import { layoutOf } from './layout.ts'
import { prepareCommands } from './prepare.ts'

const tools = new Proxy({} as ToolPaths, { get: (_, name) => `/tools/${String(name)}` })
const layout = layoutOf('/state')
const components = componentsOf(layout, tools, '/node')
const argvOf = (name: string): readonly string[] =>
  components.find((component) => component.name === name)?.argv ?? []

describe('componentsOf', () => {
  it('starts nothing before what it needs', () => {
    const seen = new Set<string>()
    for (const { name, needs = [] } of components) {
      for (const needed of needs) expect(seen).toContain(needed)
      seen.add(name)
    }
  })
  it('gives the API server RBAC, Node authorisation, an audit policy, encryption and no anonymous caller', () => {
    const argv = argvOf('kube-apiserver')
    expect(argv).toContain('--authorization-mode=Node,RBAC')
    expect(argv).toContain('--anonymous-auth=false')
    expect(argv.some((flag) => flag.startsWith('--audit-policy-file='))).toBe(true)
    expect(argv.some((flag) => flag.startsWith('--encryption-provider-config='))).toBe(true)
  })
  it('starts the controller-manager only after the roles that the API server makes are there', () => {
    const ready = components.find((c) => c.name === 'kube-apiserver')?.ready ?? []
    expect(
      ready.some((url) => url.includes('/roles/extension-apiserver-authentication-reader')),
    ).toBe(true)
  })
  it('lets etcd speak TLS alone, to clients with a certificate', () => {
    const argv = argvOf('etcd')
    expect(argv.filter((flag) => flag.includes('http://'))).toEqual([])
    expect(argv).toContain('--client-cert-auth=true')
    expect(argv).toContain('--peer-client-cert-auth=true')
  })
})

describe('prepareCommands', () => {
  const commands = prepareCommands(layout, '/packages').map((command) => command.join(' '))
  it.each([
    ['POSTROUTING', ['RETURN', 'RETURN', 'NFQUEUE', 'NFQUEUE']],
    ['INPUT', ['RETURN', 'NFQUEUE']],
  ])(
    'queues packets of pods in %s only after what is never judged was let through',
    (chain, targets) => {
      const rules = commands.filter((command) =>
        command.startsWith(`iptables -t mangle -A ${chain} `),
      )
      expect(rules.map((rule) => /-j (\w+)/.exec(rule)?.[1])).toEqual(targets)
    },
  )
  it('never lets a packet pass because nobody decides', () => {
    expect(commands.join('\n')).not.toContain('bypass')
  })
  it('keeps the state folder reachable where it lies beneath /var', () => {
    const beneath = prepareCommands(layoutOf('/var/lib/ci/state'), '/packages')
    expect(beneath).toContainEqual(['mount', '--bind', '/run/palisade', '/var/lib/ci/state'])
  })
})
