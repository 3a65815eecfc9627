import { describe, expect, it } from 'vitest'
import { clientNetwork } from './client-address.ts'

describe('clientNetwork', () => {
  it('takes an IPv4 address whole', () => {
    expect(clientNetwork('192.0.2.7')).toBe('192.0.2.7')
  })

  it('puts every address of a /64 into one bucket, however it is written', () => {
    const forms = [
      '2001:db8::1',
      '2001:db8:0:0:ffff::9',
      '2001:0db8:0000:0000:1:2:3:4',
      '2001:DB8::a',
    ]
    expect(new Set(forms.map(clientNetwork))).toEqual(new Set(['2001:db8:0:0::/64']))
  })

  it('keeps two /64 apart', () => {
    expect(clientNetwork('2001:db8:0:1::1')).not.toBe(clientNetwork('2001:db8:0:2::1'))
  })

  it('sees IPv4 behind a mapped address', () => {
    expect(clientNetwork('::ffff:192.0.2.7')).toBe('192.0.2.7')
  })

  it('ignores the zone of a link-local address', () => {
    expect(clientNetwork('fe80::1%eth0')).toBe(clientNetwork('fe80::2'))
  })
})
