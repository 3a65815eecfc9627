import { describe, expect, it } from 'vitest'
import { isOurs } from '../components/connections.ts'
import { CONNECTIONS, PEERS } from './connections.ts'
import { allowApiServer, bothEnds, denyAll, edgeEntrance } from './policies.ts'

const everywhere = () => true

describe('denyAll', () => {
  it('closes both directions for every pod', () => {
    expect(denyAll('shop').spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
  })
})

describe('bothEnds', () => {
  it.each(CONNECTIONS.map((connection) => [connection.name, connection] as const))(
    '%s opens named ports between named pods, once in and once out',
    (_, connection) => {
      const [inward, outward] = bothEnds(connection, everywhere)
      expect(inward?.spec).toMatchObject({ policyTypes: ['Ingress'] })
      expect(outward?.spec).toMatchObject({ policyTypes: ['Egress'] })
      const text = JSON.stringify([inward, outward])
      expect(text).not.toContain('"from":[]')
      expect(text).not.toContain('ipBlock')
      expect(connection.ports.length).toBeGreaterThan(0)
      expect(connection.why).not.toBe('')
    },
  )

  it('leaves the ends of other owners to them', () => {
    const [first] = CONNECTIONS.filter(({ to }) => to === PEERS.gateway)
    const made = first === undefined ? [] : bothEnds(first, isOurs([]))
    expect(made.map(({ namespace }) => namespace)).toEqual(['palisade-edge'])
  })

  it('gives no two policies of a namespace one name', () => {
    const names = CONNECTIONS.flatMap((one) => bothEnds(one, everywhere)).map(
      ({ namespace, name }) => `${namespace}/${name}`,
    )
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('the table of connections', () => {
  it('lets nobody but the edge reach the public port of the gateway', () => {
    const to3000 = CONNECTIONS.filter(
      ({ to, ports }) => to === PEERS.gateway && ports.includes(3000),
    )
    expect(to3000.map(({ from }) => from)).toEqual([PEERS.edge])
  })

  it('lets the edge reach the gateway and nothing else', () => {
    expect(CONNECTIONS.filter(({ from }) => from === PEERS.edge).map(({ to }) => to)).toEqual([
      PEERS.gateway,
    ])
  })
})

describe('allowApiServer', () => {
  it('names the addresses that the stack gives', () => {
    const policy = allowApiServer(PEERS.openbao, 'openbao', {
      cidrs: ['10.250.0.1/32'],
      port: 6443,
    })
    expect(policy.spec).toMatchObject({
      egress: [{ to: [{ ipBlock: { cidr: '10.250.0.1/32' } }], ports: [{ port: 6443 }] }],
    })
  })
})

describe('edgeEntrance', () => {
  const edge = {
    exposure: 'HostPort' as const,
    hosts: ['api.palisade.localhost'],
    publicPort: 8443,
    proxyProtocol: true,
    trustedProxies: ['10.250.0.1/32'],
    replicas: 1,
    nginxVersion: '1.26' as const,
    xssFilter: 'off' as const,
  }

  it('admits the balancer alone where its addresses are known', () => {
    expect(edgeEntrance(edge).spec).toMatchObject({
      ingress: [{ from: [{ ipBlock: { cidr: '10.250.0.1/32' } }] }],
    })
  })

  it('admits everybody where clients arrive directly', () => {
    expect(JSON.stringify(edgeEntrance({ ...edge, trustedProxies: [] }).spec)).not.toContain('from')
  })
})
