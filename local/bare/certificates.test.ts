import { describe, expect, it } from 'vitest'
import { CERTIFICATES, type CertificateSpec, isCurrent, opensslArgs } from './certificates.ts'

const spec = (name: string): CertificateSpec => {
  const found = CERTIFICATES.find((candidate) => candidate.name === name)
  if (!found) throw new Error(`no certificate ${name}`)
  return found
}
const now = new Date('2026-11-21T00:00:00Z')

describe('CERTIFICATES', () => {
  it('makes one administrator and no other member of system:masters', () => {
    const masters = CERTIFICATES.filter((c) => c.organization === 'system:masters')
    expect(masters.map((c) => c.name)).toEqual(['admin'])
  })
  it('gives a server its names and a client none', () => {
    for (const { usages, names } of CERTIFICATES) {
      expect(names.length > 0).toBe(usages.includes('serverAuth'))
    }
  })
})

describe('isCurrent', () => {
  const names = 'DNS:palisade, IP Address:10.250.0.1, IP Address:127.0.0.1'
  it('keeps a certificate with the same names and a year to go', () => {
    const made = { validTo: 'Nov 21 00:00:00 2027 GMT', subjectAltName: names }
    expect(isCurrent(spec('kubelet'), made, now)).toBe(true)
  })
  it('makes it anew 30 days before its end', () => {
    const made = { validTo: 'Dec 20 00:00:00 2026 GMT', subjectAltName: names }
    expect(isCurrent(spec('kubelet'), made, now)).toBe(false)
  })
  it('makes it anew when a name is missing', () => {
    const made = { validTo: 'Nov 21 00:00:00 2027 GMT', subjectAltName: 'DNS:palisade' }
    expect(isCurrent(spec('kubelet'), made, now)).toBe(false)
  })
})

describe('opensslArgs', () => {
  it('signs by the authority of the certificate and lets it sign nothing itself', () => {
    const args = opensslArgs(spec('etcd'), '/pki')
    expect(args).toContain('/pki/ca-etcd.crt')
    expect(args).toContain('basicConstraints=critical,CA:FALSE')
    expect(args).toContain('extendedKeyUsage=serverAuth,clientAuth')
  })
})
