import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { recordProgram, type Registered } from '../test/support/recorded-program.ts'
import { parseStackConfig } from './config/parse.ts'
import type { StackConfig } from './config/schema.ts'

const EXAMPLE = new URL('../Pulumi.production.example.yaml', import.meta.url)

let config: StackConfig
let planned: readonly Registered[]
beforeAll(async () => {
  const { config: keys } = parse(readFileSync(EXAMPLE, 'utf8')) as {
    config: Record<string, unknown>
  }
  const given = Object.entries(keys).map(
    ([key, value]) => [key.replace('palisade:', ''), value] as const,
  )
  config = parseStackConfig(Object.fromEntries(given))
  planned = await recordProgram(config)
}, 60_000)

const inputsOf = (kind: string, name: string): Record<string, unknown> => {
  const found = planned.find(
    (one) =>
      one.type.startsWith('kubernetes:') && one.type.endsWith(`:${kind}`) && one.name === name,
  )
  if (found === undefined) throw new Error(`no ${kind} ${name} is planned`)
  return found.inputs
}
const specOf = (kind: string, name: string) => inputsOf(kind, name)['spec']
const ofKind = (kind: string) => planned.filter(({ type }) => type.endsWith(`:${kind}`))

describe('Pulumi.production.example.yaml', () => {
  it('plans three nodes of the secret store that are never lost together', () => {
    expect(specOf('StatefulSet', 'openbao')).toMatchObject({
      replicas: 3,
      serviceName: 'openbao-nodes',
      podManagementPolicy: 'Parallel',
      template: {
        spec: {
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                { topologyKey: 'kubernetes.io/hostname' },
              ],
            },
          },
        },
      },
    })
    expect(specOf('Service', 'openbao-nodes')).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
    })
    expect(specOf('PodDisruptionBudget', 'openbao')).toMatchObject({ maxUnavailable: 1 })
    expect(specOf('NetworkPolicy', 'palisade-vault/in-openbao-nodes')).toMatchObject({
      ingress: [{ ports: [{ port: 8200 }, { port: 8201 }] }],
    })
  })

  it('has a way for each node to start: with the part that makes a store, and without', () => {
    const data = inputsOf('ConfigMap', 'openbao')['data'] as Record<string, string>
    expect(Object.keys(data)).toEqual(['first.json', 'join.json'])
    const [first, join] = Object.values(data).map((text) => JSON.parse(text) as object)
    expect(first).toHaveProperty('initialize')
    expect(join).not.toHaveProperty('initialize')
    const nodes = [0, 1, 2].map(
      (index) => `https://openbao-${index}.openbao-nodes.palisade-vault.svc:8200`,
    )
    expect(join).toMatchObject({
      api_addr: 'https://{pod}.openbao-nodes.palisade-vault.svc:8200',
      storage: {
        raft: {
          node_id: '{pod}',
          retry_join: nodes.map((address) => ({
            leader_api_addr: address,
            leader_ca_cert_file: '/etc/palisade/tls/ca.crt',
          })),
        },
      },
    })
    expect(specOf('Certificate', 'openbao-tls')).toMatchObject({
      dnsNames: expect.arrayContaining(nodes.map((address) => new URL(address).hostname)),
    })
  })

  it('opens the store by an identity of the cloud and makes no key for it', () => {
    expect(ofKind('Job').map(({ name }) => name)).not.toContain('seal-key')
    expect(inputsOf('ServiceAccount', 'openbao')['metadata']).toMatchObject({
      annotations: { 'eks.amazonaws.com/role-arn': config.openbao.awskms?.roleArn },
    })
    const { data } = inputsOf('ConfigMap', 'openbao') as { data: Record<string, string> }
    const { seal } = JSON.parse(data['join.json'] ?? '') as { seal: object[] }
    expect(seal).toEqual([
      { awskms: { region: 'eu-central-1', kms_key_id: 'alias/palisade-openbao' } },
    ])
    expect(specOf('NetworkPolicy', 'openbao-to-seal-0')).toMatchObject({
      egress: [{ to: [{ ipBlock: { cidr: '10.0.4.0/24' } }], ports: [{ port: 443 }] }],
    })
  })

  it('plans three databases of which one more has each commit', () => {
    expect(specOf('Cluster', 'postgres')).toMatchObject({
      instances: 3,
      minSyncReplicas: 1,
      maxSyncReplicas: 1,
    })
  })

  it('plans three gateways, two operators and three edges, apart from each other', () => {
    const values = ofKind('Chart').map(({ inputs }) => inputs['values'])
    expect(values[0]).toMatchObject({ operator: { enabled: true, replicas: 2 } })
    expect(values[1]).toMatchObject({ gateway: { enabled: true, replicas: 3 } })
    expect(specOf('Deployment', 'edge')).toMatchObject({
      replicas: 3,
      template: {
        spec: {
          topologySpreadConstraints: [
            { topologyKey: 'kubernetes.io/hostname' },
            { topologyKey: 'topology.kubernetes.io/zone' },
          ],
        },
      },
    })
    expect(specOf('PodDisruptionBudget', 'edge')).toMatchObject({ maxUnavailable: 1 })
  })

  it('lets the sealer take checkpoints out of the cluster, to one network and with a named Secret', () => {
    const values = ofKind('Chart').map(({ inputs }) => inputs['values'])
    expect(values[1]).toMatchObject({
      sealer: {
        objectStore: {
          endpoint: 'https://s3.eu-central-1.amazonaws.com',
          prefix: 'prod-eu-1/',
          addressing: 'path',
          secret: 'audit-object-store',
          keys: { accessKeyId: 'access-key-id', ca: 'ca.crt' },
        },
      },
      networkPolicies: { objectStore: { cidrs: ['10.0.5.0/24'], port: 443 } },
    })
  })

  it('puts every volume on the class that is said to encrypt', () => {
    const texts = planned.map(({ inputs }) => JSON.stringify(inputs))
    const claims = texts.join('').match(/"volumeClaimTemplates?":|"storage":\{"size"/g) ?? []
    const named = texts.join('').match(/"storageClass(Name)?":"encrypted-ssd"/g) ?? []
    expect(claims.length).toBeGreaterThanOrEqual(4)
    expect(named).toHaveLength(claims.length)
  })

  it('makes no Secret, and starts nothing from an image without digest', () => {
    expect(ofKind('Secret')).toEqual([])
    const images = JSON.stringify(planned.map(({ inputs }) => inputs)).matchAll(
      /"image(?:Name)?":"([^"]+)"/g,
    )
    for (const [, image] of images) expect(image).toMatch(/@sha256:[0-9a-f]{64}$/)
  })
})
