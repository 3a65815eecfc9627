import { beforeAll, describe, expect, it } from 'vitest'
import { exampleStack, recordProgram, type Registered } from '../test/support/recorded-program.ts'

let registered: readonly Registered[]
beforeAll(async () => {
  registered = await recordProgram(exampleStack())
}, 60_000)

const find = (kind: string, name: string): Registered => {
  const found = registered.find((one) => one.type.endsWith(`:${kind}`) && one.name === name)
  if (found === undefined) throw new Error(`no ${kind} ${name} was registered`)
  return found
}
const ofKind = (kind: string) => registered.filter(({ type }) => type.endsWith(`:${kind}`))

describe('platform', () => {
  it.each([
    ['CertificateAuthority palisade-ca', 'Namespace palisade-system'],
    ['StatefulSet openbao', 'ClusterIssuer palisade-ca'],
    ['StatefulSet openbao', 'Job seal-key'],
    ['Job seal-key', 'NetworkPolicy seal-key-api-server'],
    ['Cluster postgres', 'Certificate postgres-server-tls'],
    ['Cluster postgres', 'NetworkPolicy postgres-api-server'],
    ['Job migrate', 'Cluster postgres'],
    ['Job migrate', 'Certificate postgres-client-palisade-migrator-tls'],
    ['StatefulSet redis', 'Job redis-users'],
    ['Chart operator', 'StatefulSet openbao'],
    ['Chart operator', 'Job migrate'],
    ['SecretRotation gateway-db', 'Chart operator'],
    ['SecretRotation gateway-db', 'RoleBinding operator-access'],
    ['SecretRotation sealer-db', 'RotationBackend palisade-db'],
    ['Chart services', 'SecretRotation gateway-db'],
    ['Chart services', 'SecretRotation sealer-db'],
    ['Chart services', 'StatefulSet redis'],
    ['Deployment edge', 'Chart services'],
    ['Job onboard-shop', 'StatefulSet openbao'],
  ])('begins %s when %s is done', (later, earlier) => {
    const [laterKind = '', laterName = ''] = later.split(' ')
    const [earlierKind = '', earlierName = ''] = earlier.split(' ')
    expect(find(earlierKind, earlierName).done).toBeLessThan(find(laterKind, laterName).begun)
  })

  it('uses the chart and no other remote component', () => {
    expect(ofKind('Chart').map(({ name }) => name)).toEqual(['operator', 'services'])
    expect(ofKind('ConfigGroup')).toEqual([])
    expect(ofKind('Release')).toEqual([])
  })

  it('makes no Secret: values come to exist inside the cluster', () => {
    expect(ofKind('Secret')).toEqual([])
    expect(registered.filter(({ type }) => type.startsWith('random:'))).toEqual([])
  })

  it('enforces restricted Pod Security in every namespace but the one whose exception is named', () => {
    const enforced = ofKind('Namespace')
      .filter(({ type }) => type.startsWith('kubernetes:'))
      .map(({ name, inputs }) => {
        const { labels, annotations } = inputs['metadata'] as Record<string, Record<string, string>>
        return [
          name,
          labels?.['pod-security.kubernetes.io/enforce'],
          annotations?.['palisade.dev/pod-security-exception'] !== undefined,
        ]
      })
    expect(enforced).toEqual(
      expect.arrayContaining([
        ['palisade-system', 'restricted', false],
        ['palisade-edge', 'privileged', true],
        ['palisade-data', 'restricted', false],
        ['palisade-vault', 'restricted', false],
        ['palisade-monitoring', 'restricted', false],
      ]),
    )
    expect(enforced).toHaveLength(5)
  })

  it('gives the operator logs in the namespace of the database alone, and nothing there but these', () => {
    const granting = ofKind('Role').filter(({ inputs }) =>
      JSON.stringify(inputs['rules']).includes('pods/log'),
    )
    expect(granting.map(({ inputs }) => inputs['metadata'])).toEqual([
      { name: 'operator-reads-database-logs', namespace: 'palisade-data' },
    ])
    expect(granting[0]?.inputs['rules']).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
      { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
    ])
    const bound = ofKind('RoleBinding').find(({ inputs }) =>
      JSON.stringify(inputs['roleRef']).includes('operator-reads-database-logs'),
    )
    expect(bound?.inputs['subjects']).toEqual([
      { kind: 'ServiceAccount', name: 'operator', namespace: 'palisade-system' },
    ])
  })

  it('has an address for every instance of the database, ready or not', () => {
    const { inputs } = find('Service', 'palisade-db-instances')
    expect(inputs['spec']).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: { 'cnpg.io/cluster': 'palisade-db', 'cnpg.io/podRole': 'instance' },
    })
  })

  it('lets a bootstrap Job see the Secret it makes and no other', () => {
    const rules = ofKind('Role')
      .filter(({ name }) => /^(seal-key|redis-users)\//.test(name))
      .flatMap(({ inputs }) => inputs['rules'] as Record<string, unknown>[])
    for (const rule of rules) {
      if (rule['resourceNames'] === undefined) expect(rule['verbs']).toEqual(['create'])
      else expect(rule['verbs']).toEqual(['get', 'patch'])
    }
    expect(rules).toHaveLength(6)
  })

  it('hands each dashboard to whatever Grafana looks for them', () => {
    const dashboards = ofKind('ConfigMap').filter(({ name }) =>
      name.includes('monitoring-palisade-'),
    )
    expect(dashboards.length).toBeGreaterThan(0)
    for (const { inputs } of dashboards) {
      expect(inputs['metadata']).toMatchObject({
        namespace: 'palisade-monitoring',
        labels: { grafana_dashboard: '1' },
      })
      const [[file, text] = ['', '{}']] = Object.entries(inputs['data'] as Record<string, string>)
      expect(file).toBe(`${(JSON.parse(text) as { uid: string }).uid}.json`)
    }
  })

  it('names every component of the platform by its own type', () => {
    const own = registered.map(({ type }) => type).filter((type) => type.startsWith('palisade:'))
    expect(own.every((type) => /^palisade:platform:[A-Z][A-Za-z]+$/.test(type))).toBe(true)
  })
})
