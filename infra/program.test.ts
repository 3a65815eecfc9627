import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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
/** Text of everything that the engine would keep. */
const kept = (among: readonly Registered[]) => JSON.stringify(among.map(({ inputs }) => inputs))

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
    ['Service edge', 'Chart services'],
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

describe('platform with an existing database', () => {
  const EXISTING = {
    secret: 'managed-postgres',
    host: 'db.example.net',
    port: 6432,
    database: 'palisade',
    cidrs: ['192.0.2.0/28', '198.51.100.7/32'],
  }
  let own: readonly Registered[]
  beforeAll(async () => {
    own = registered
    registered = await recordProgram(exampleStack({ postgres: { existing: EXISTING } }))
  }, 60_000)
  afterAll(() => {
    registered = own
  })

  it('plans no database, no client certificate for one, no scrape of one and no alert on one', () => {
    const names = registered.map(({ type, name }) => `${type} ${name}`)
    expect(names.filter((one) => one.includes('cnpg.io'))).toEqual([])
    expect(kept(registered)).not.toMatch(/cnpg\.io|postgres-client|palisade-db-rw/)
    expect(kept(own)).toMatch(/palisade-db-rw/)
    const alerts = () => kept(ofKind('PrometheusRule'))
    expect(alerts()).toContain('DatabaseConnectionErrors')
    expect(alerts()).not.toMatch(/cnpg_|DatabaseDown/)
  })

  it.each([
    ['Job database', 'StatefulSet openbao'],
    ['Job database', 'NetworkPolicy database-network'],
    ['Chart operator', 'Job database'],
  ])('begins %s when %s is done', (later, earlier) => {
    const [laterKind = '', laterName = ''] = later.split(' ')
    const [earlierKind = '', earlierName = ''] = earlier.split(' ')
    expect(find(earlierKind, earlierName).done).toBeLessThan(find(laterKind, laterName).begun)
  })

  it('lets pods out to the addresses of the database and its port, and nowhere else', () => {
    const { inputs } = find('NetworkPolicy', 'database-network')
    expect(inputs['spec']).toEqual({
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'database' } },
      policyTypes: ['Egress'],
      egress: [
        {
          to: EXISTING.cidrs.map((cidr) => ({ ipBlock: { cidr } })),
          ports: [{ protocol: 'TCP', port: EXISTING.port }],
        },
      ],
    })
    for (const { inputs: chart } of ofKind('Chart')) {
      const { networkPolicies } = chart['values'] as { networkPolicies: object }
      expect(networkPolicies).toMatchObject({ database: { cidrs: EXISTING.cidrs, port: 6432 } })
    }
  })

  it('names the connection Secret to one Job and asks the cluster for no Secret', () => {
    const mounting = registered.filter(({ inputs }) =>
      JSON.stringify(inputs).includes('"secretName":"managed-postgres"'),
    )
    expect(mounting.map(({ name }) => name)).toEqual(['database'])
    expect(ofKind('Secret')).toEqual([])
    expect(kept(registered)).not.toMatch(/"(password|stringData)":/)
  })

  it('has the operator log in by what lies in the store, at the address of the database', () => {
    expect(find('RotationBackend', 'palisade-db').inputs['spec']).toMatchObject({
      endpoint: { host: 'db.example.net', port: 6432, database: 'palisade' },
      tls: { trust: 'Credential' },
      credential: { vaultPath: 'platform/backends/palisade-db' },
    })
    const role = 'auth/kubernetes/role/palisade-database'
    expect(kept([find('ConfigMap', 'openbao')])).toContain(role)
    expect(kept(own)).not.toContain(role)
  })
})

describe('platform that installs its operators', () => {
  const NAMES = ['cert-manager', 'cloudnative-pg', 'prometheus-operator']
  const chartsOf = (among: readonly Registered[]) =>
    among.filter(({ type, name }) => type.endsWith(':Chart') && NAMES.includes(name))
  let installing: readonly Registered[]
  beforeAll(async () => {
    installing = await recordProgram(exampleStack({ operators: { mode: 'install' } }))
  }, 60_000)

  it('begins nothing of its own before each of them is done', () => {
    const charts = chartsOf(installing)
    expect(charts.map(({ name }) => name).sort()).toEqual(NAMES)
    const ready = Math.max(...charts.map(({ done }) => done))
    const theirs = ['cert-manager', 'cnpg-system', 'prometheus-operator']
    const early = installing.filter(
      ({ type, name, begun }) =>
        begun < ready &&
        type.startsWith('kubernetes:') &&
        !NAMES.includes(name) &&
        !theirs.includes(name),
    )
    expect(early.map(({ type, name }) => `${type} ${name}`)).toEqual([])
  })

  it('pins each by an exact version and takes it from where the stack says', async () => {
    for (const { inputs } of chartsOf(installing)) {
      expect(inputs['version']).toMatch(/^v?\d+\.\d+\.\d+$/)
      expect(inputs['chart']).toMatch(/^oci:\/\//)
    }
    const mirrored = await recordProgram(
      exampleStack({
        operators: {
          mode: 'install',
          charts: {
            certManager: { chart: 'cert-manager', repo: 'https://charts.example.net' },
            postgres: { chart: '/mirror/cloudnative-pg-0.26.0.tgz' },
          },
        },
      }),
    )
    const [certManager, postgres] = chartsOf(mirrored)
    expect(certManager?.inputs).toMatchObject({
      chart: 'cert-manager',
      repositoryOpts: { repo: 'https://charts.example.net' },
    })
    expect(postgres?.inputs['chart']).toBe('/mirror/cloudnative-pg-0.26.0.tgz')
  }, 60_000)

  it('waits for the authority of the webhooks that have none when their pod is ready', () => {
    const [certManager] = chartsOf(installing)
    expect(certManager?.inputs['values']).toMatchObject({
      webhook: {
        validatingWebhookConfigurationAnnotations: {
          'pulumi.com/waitFor': 'jsonpath={.webhooks[0].clientConfig.caBundle}',
        },
      },
    })
  })

  it.each([
    ['those that already run', { operators: { mode: 'install', except: ['certManager'] } }, [1, 2]],
    [
      'what a stack without monitoring does not use',
      { operators: { mode: 'install' }, monitoring: { enabled: false } },
      [0, 1],
    ],
    [
      'CloudNativePG where the database exists',
      {
        operators: { mode: 'install' },
        postgres: {
          existing: {
            secret: 'managed-postgres',
            host: 'db.example.net',
            port: 5432,
            database: 'palisade',
            cidrs: ['192.0.2.0/28'],
          },
        },
      },
      [0, 2],
    ],
  ])(
    'leaves out %s',
    async (_, over, places) => {
      const charts = chartsOf(await recordProgram(exampleStack(over)))
      expect(charts.map(({ name }) => name).sort()).toEqual(places.map((place) => NAMES[place]))
    },
    60_000,
  )

  it('installs none where they are there already', () => {
    expect(chartsOf(registered)).toEqual([])
  })
})
