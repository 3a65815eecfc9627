import { describe, expect, it } from 'vitest'
import { authorityCertificate, certificateSpec, serviceNames } from './certificate.ts'

const HOURS = (text = '0h0m0s') => Number(text.split('h')[0])

describe('certificateSpec', () => {
  const wish = { secretName: 'a-tls', commonName: 'a', usages: ['server auth'] as const }

  it.each([
    ['30 days', { ...wish }, 720],
    ['a year for a program that reads it once', { ...wish, readOnce: true }, 8760],
  ])('lives %s and is renewed with a third of it left', (_, asked, hours) => {
    const spec = certificateSpec(asked)
    expect(HOURS(spec.duration)).toBe(hours)
    expect(HOURS(spec.renewBefore) / HOURS(spec.duration)).toBeCloseTo(1 / 3, 2)
  })

  it('takes a new key at each renewal', () => {
    expect(certificateSpec(wish).privateKey?.rotationPolicy).toBe('Always')
  })

  it('serves only what it was asked for', () => {
    expect(certificateSpec(wish).usages).toEqual(['digital signature', 'server auth'])
  })
})

describe('authorityCertificate', () => {
  it('keeps its key: a new root is handed out before it signs', () => {
    expect(authorityCertificate()).toMatchObject({
      isCA: true,
      privateKey: { rotationPolicy: 'Never' },
    })
  })
})

describe('serviceNames', () => {
  it('are the names under which pods reach a Service', () => {
    expect(serviceNames('gateway', 'palisade-system')).toContain('gateway.palisade-system.svc')
  })
})
