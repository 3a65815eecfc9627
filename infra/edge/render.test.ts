import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { quote, SECURITY_HEADERS } from './headers.ts'
import { PROBLEMS } from './problems.ts'
import { type EdgeWish, renderEdge } from './render.ts'
import { ROUTES } from './routes.ts'

const wish = (over: Partial<EdgeWish> = {}): EdgeWish => ({
  nginxVersion: '1.26',
  hosts: ['api.palisade.localhost', 'api.example.com'],
  publicPort: 8443,
  proxyProtocol: true,
  trustedProxies: ['10.250.0.1/32'],
  xssFilter: 'off',
  ports: { plain: 8080, tls: 8443, health: 8081 },
  upstream: {
    host: 'gateway.palisade-system.svc.cluster.local',
    port: 3000,
    serverName: 'gateway.palisade-system.svc',
    tlsDirectory: '/etc/palisade/tls',
    resolver: 'kube-dns.kube-system.svc.cluster.local',
  },
  ...over,
})

/** The blocks of one kind, by their first line, without nested ones. */
const blocks = (text: string, head: RegExp): readonly string[] => {
  const lines = text.split('\n')
  return lines.flatMap((line, at) => {
    if (!head.test(line)) return []
    const depth = line.search(/\S/)
    const end = lines.findIndex((other, later) => later > at && other === `${' '.repeat(depth)}}`)
    return [lines.slice(at, end + 1).join('\n')]
  })
}

describe('renderEdge', () => {
  it.each(['1.26', '1.31'] as const)('renders the reviewed file for nginx %s', async (version) => {
    const golden = new URL(`golden/nginx-${version}.conf`, import.meta.url)
    await expect(renderEdge(wish({ nginxVersion: version }))).toMatchFileSnapshot(golden.pathname)
    expect(await readFile(golden, 'utf8')).not.toBe('')
  })

  it('repeats every security header in each location that adds one of its own', () => {
    const adding = blocks(renderEdge(wish()), /^\s+location .*\{$/).filter((text) =>
      text.includes('add_header'),
    )
    expect(adding).toHaveLength(PROBLEMS.length * 2)
    for (const text of adding) {
      for (const [name] of SECURITY_HEADERS) expect(text).toContain(`add_header ${name} `)
    }
  })

  it('switches the filter of old browsers on with every answer where the stack says so', () => {
    const told = (xssFilter: EdgeWish['xssFilter']) => [
      ...new Set(renderEdge(wish({ xssFilter })).match(/(?<=X-XSS-Protection ")[^"]+/g)),
    ]
    expect([told('off'), told('block')]).toEqual([['0'], ['1; mode=block']])
  })

  it('offers TLS 1.2 and 1.3 alone, with forward secrecy and without tickets', () => {
    const text = renderEdge(wish())
    expect(text).toContain('ssl_protocols TLSv1.2 TLSv1.3;')
    expect(text).toContain('ssl_session_tickets off;')
    const [ciphers = ''] = /ssl_ciphers .*;/.exec(text) ?? []
    expect(ciphers.match(/[A-Z0-9-]{10,}/g)?.every((one) => one.startsWith('ECDHE-'))).toBe(true)
  })

  it('believes no address of a client when no proxy is trusted', () => {
    const text = renderEdge(wish({ trustedProxies: [], proxyProtocol: false }))
    expect(text).not.toContain('set_real_ip_from')
    expect(text).not.toContain('proxy_protocol')
  })

  it('sends nobody to a host that the client named', () => {
    const redirects = renderEdge(wish()).match(/return 301 .*/g)
    expect(redirects).toEqual(['return 301 https://$public_host$request_uri;'])
  })

  it('writes no port into the redirect when it is 443', () => {
    expect(renderEdge(wish({ publicPort: 443 }))).toContain('api.example.com "api.example.com";')
  })

  it('checks the certificate of the gateway and its name', () => {
    const text = renderEdge(wish())
    expect(text).toContain('proxy_ssl_verify on;')
    expect(text).toContain('proxy_ssl_name gateway.palisade-system.svc;')
  })
})

describe('routes', () => {
  it('ask the WAF that is to come to leave every body unread', () => {
    expect(ROUTES.filter(({ waf }) => waf.body === 'on')).toEqual([])
  })
})

describe('problems', () => {
  it('cover what nginx answers by itself', () => {
    const covered = PROBLEMS.flatMap(({ from }) => from)
    for (const status of [
      400, 404, 405, 408, 413, 414, 421, 429, 494, 495, 496, 497, 500, 502, 503, 504,
    ]) {
      expect(covered).toContain(status)
    }
  })
})

describe('quote', () => {
  it.each(['a"b', 'a\\b', 'a\nb', '$host'])(
    'refuses %j, which would end or expand the value',
    (value) => {
      expect(() => quote(value)).toThrow('cannot stand in a quoted nginx value')
    },
  )
})
