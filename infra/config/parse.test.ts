import { describe, expect, it } from 'vitest'
import { parseStackConfig, StackConfigError } from './parse.ts'
import { IMAGE_NAMES } from './schema.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const images = (suffix = ':1') =>
  Object.fromEntries(IMAGE_NAMES.map((name) => [name, `palisade.local/${name}${suffix}`]))

const stack = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  profile: 'dev',
  images: images(),
  cluster: {
    apiServer: { cidrs: ['10.250.0.1/32'], port: 6443 },
    podCidrs: ['10.244.0.0/16'],
  },
  openbao: { seal: 'static' },
  edge: { exposure: 'HostPort', hosts: ['api.palisade.localhost'], publicPort: 8443 },
  ...over,
})

const EXISTING = {
  secret: 'managed-postgres',
  host: 'db.example.net',
  port: 5432,
  database: 'palisade',
  cidrs: ['192.0.2.0/28'],
}

const OBJECTS = {
  endpoint: 'https://s3.example.net',
  bucket: 'palisade-audit',
  region: 'eu-central-1',
  secret: 'audit-object-store',
  cidrs: ['192.0.2.0/28'],
}
const AWS = { region: 'eu-central-1', keyId: 'alias/a', roleArn: 'arn:aws:iam::1:role/a' }
const EGRESS = [{ cidrs: ['192.0.2.0/24'], port: 443 }]

const problems = (given: Record<string, unknown>) => {
  try {
    parseStackConfig(given)
  } catch (error) {
    if (error instanceof StackConfigError) return error.problems
    throw error
  }
  return []
}
const fields = (given: Record<string, unknown>) => problems(given).map(({ field }) => field)

describe('parseStackConfig', () => {
  it('completes profile dev with one of each', () => {
    const config = parseStackConfig(stack())
    expect(config.postgres).toEqual({ instances: 1, storage: '1Gi', version: 17 })
    expect(config.gateway.replicas).toBe(1)
    expect(config.edge).toMatchObject({ proxyProtocol: false, xssFilter: 'off' })
  })

  it('lets the stack overrule one default and keeps its neighbours', () => {
    const config = parseStackConfig(stack({ postgres: { instances: 3 } }))
    expect(config.postgres).toEqual({ instances: 3, storage: '1Gi', version: 17 })
  })

  it.each([
    ['an unknown profile', stack({ profile: 'prod' }), 'profile'],
    ['a missing image', stack({ images: { ...images(), nginx: undefined } }), 'images.nginx'],
    ['an unknown key', stack({ redis: { size: '1Gi' } }), 'redis.size'],
    [
      'an image without tag or digest',
      stack({ images: { ...images(), nginx: 'nginx' } }),
      'images.nginx',
    ],
    [
      'a word where a number belongs',
      stack({ postgres: { instances: 'three' } }),
      'postgres.instances',
    ],
    [
      'a namespace of ours among the teams',
      stack({ appNamespaces: ['palisade-data'] }),
      'appNamespaces',
    ],
    [
      'an exception where nothing is installed',
      stack({ operators: { mode: 'present', except: ['postgres'] } }),
      'operators.except',
    ],
    [
      'a chart without an exact version',
      stack({ operators: { mode: 'install', charts: { certManager: { version: '^1.19' } } } }),
      'operators.charts.certManager.version',
    ],
    [
      'an existing database that may be anywhere',
      stack({ postgres: { existing: { ...EXISTING, cidrs: ['0.0.0.0/0'] } } }),
      'postgres.existing.cidrs',
    ],
    [
      'a connection under the name of a Secret of ours',
      stack({ postgres: { existing: { ...EXISTING, secret: 'gateway-db' } } }),
      'postgres.existing.secret',
    ],
    [
      'a password where a Secret is named',
      stack({ postgres: { existing: { ...EXISTING, password: 'x' } } }),
      'postgres.existing.password',
    ],
    [
      'an object store without TLS',
      stack({ audit: { objectStore: { ...OBJECTS, endpoint: 'http://s3.example.net' } } }),
      'audit.objectStore.endpoint',
    ],
    [
      'an object store that may be anywhere',
      stack({ audit: { objectStore: { ...OBJECTS, cidrs: ['0.0.0.0/0'] } } }),
      'audit.objectStore.cidrs',
    ],
    [
      'a credential of the object store where a Secret is named',
      stack({ audit: { objectStore: { ...OBJECTS, secretAccessKey: 'x' } } }),
      'audit.objectStore.secretAccessKey',
    ],
    [
      'its credential under the name of a Secret of ours',
      stack({ audit: { objectStore: { ...OBJECTS, secret: 'sealer-db' } } }),
      'audit.objectStore.secret',
    ],
    [
      'a prefix that leaves its folder',
      stack({ audit: { objectStore: { ...OBJECTS, prefix: '../' } } }),
      'audit.objectStore.prefix',
    ],
    ['two store nodes', stack({ openbao: { seal: 'static', replicas: 2 } }), 'openbao.replicas'],
  ])('refuses %s and names the field', (_, given, field) => {
    expect(fields(given)).toEqual([field])
  })

  it('refuses the PROXY protocol when no proxy is trusted, and a proxy that is everyone', () => {
    const edge = stack()['edge'] as object
    expect(fields(stack({ edge: { ...edge, proxyProtocol: true } }))).toEqual([
      'edge.trustedProxies',
    ])
    expect(fields(stack({ edge: { ...edge, trustedProxies: ['0.0.0.0/0'] } }))).toEqual([
      'edge.trustedProxies',
    ])
  })

  it('refuses an API server that may be anywhere, unless in profile dev', () => {
    const cluster = {
      apiServer: { cidrs: ['::/0'], port: 6443 },
      podCidrs: ['10.244.0.0/16'],
    }
    expect(fields(stack({ profile: 'staging', cluster }))).toContain('cluster.apiServer.cidrs')
    expect(fields(stack({ cluster }))).toEqual([])
  })

  it('refuses seal static, unpinned images and single copies in profile production', () => {
    const found = fields(stack({ profile: 'production', postgres: { instances: 1 } }))
    expect(found).toContain('openbao.seal')
    expect(found).toContain('images.control')
    expect(found).toContain('postgres.instances')
  })

  it('takes a chart from elsewhere and keeps the pinned version', () => {
    const charts = { postgres: { chart: '/mirror/cloudnative-pg-0.26.0.tgz' } }
    const { operators } = parseStackConfig(stack({ operators: { mode: 'install', charts } }))
    expect(operators.charts.postgres).toEqual({
      chart: '/mirror/cloudnative-pg-0.26.0.tgz',
      version: '0.26.0',
    })
  })

  it('asks production for encrypted volumes, a majority of stores and two operators', () => {
    const found = fields(
      stack({
        profile: 'production',
        openbao: { seal: 'static', replicas: 1 },
        operator: { replicas: 1 },
      }),
    )
    expect(found).toEqual(
      expect.arrayContaining([
        'cluster.storageClass',
        'cluster.storageIsEncrypted',
        'openbao.replicas',
        'operator.replicas',
      ]),
    )
  })

  it.each([
    ['a seal whose key is not described', { seal: 'awskms', sealEgress: EGRESS }, 'openbao.awskms'],
    ['a key of another seal', { seal: 'static', awskms: AWS }, 'openbao.awskms'],
    ['a seal that no policy lets it reach', { seal: 'awskms', awskms: AWS }, 'openbao.sealEgress'],
    [
      'a seal that may be anywhere',
      { seal: 'awskms', sealEgress: [...EGRESS, { cidrs: ['0.0.0.0/0'], port: 443 }], awskms: AWS },
      'openbao.sealEgress',
    ],
    [
      'a credential of the cloud',
      { seal: 'awskms', sealEgress: EGRESS, awskms: { ...AWS, secretKey: 'x' } },
      'openbao.awskms.secretKey',
    ],
    [
      'a token where a Secret is named',
      {
        seal: 'transit',
        sealEgress: EGRESS,
        transit: {
          address: 'https://vault.example.net',
          keyName: 'unseal',
          mountPath: 'transit/',
          secret: 'openbao-unseal',
          token: 'x',
        },
      },
      'openbao.transit.token',
    ],
    [
      'a transit server without TLS',
      {
        seal: 'transit',
        sealEgress: EGRESS,
        transit: {
          address: 'http://vault.example.net',
          keyName: 'unseal',
          mountPath: 'transit/',
          secret: 'openbao-unseal',
        },
      },
      'openbao.transit.address',
    ],
  ])('refuses %s and names the field', (_, openbao, field) => {
    expect(fields(stack({ openbao }))).toEqual([field])
  })

  it('asks production, and no other profile, for a place of checkpoints outside of the cluster', () => {
    expect(fields(stack({ profile: 'production' }))).toContain('audit.objectStore')
    expect(fields(stack({ profile: 'staging' }))).not.toContain('audit.objectStore')
    const outside = stack({ profile: 'production', audit: { objectStore: OBJECTS } })
    expect(fields(outside).filter((field) => field.startsWith('audit'))).toEqual([])
  })

  it('counts no instances of a database that somebody else runs', () => {
    const found = fields(
      stack({ profile: 'production', postgres: { instances: 1, existing: EXISTING } }),
    )
    expect(found).not.toContain('postgres.instances')
  })

  it('has no complaint about pinned images in profile production', () => {
    const found = fields(stack({ profile: 'production', images: images(`@${DIGEST}`) }))
    expect(found.filter((field) => field.startsWith('images'))).toEqual([])
  })

  it('says cause and remedy for each problem', () => {
    for (const { cause, remedy } of problems(stack({ profile: 'production', extra: 1 }))) {
      expect(cause).not.toBe('')
      expect(remedy).not.toBe('')
    }
  })
})
