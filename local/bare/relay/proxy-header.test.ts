import { describe, expect, it } from 'vitest'
import { proxyHeader } from './proxy-header.ts'

const ends = {
  remoteAddress: '192.0.2.7',
  remotePort: 55001,
  localAddress: '127.0.0.1',
  localPort: 8443,
}

describe('proxyHeader', () => {
  it('carries the client as one line of the PROXY protocol', () => {
    expect(proxyHeader(ends)).toBe('PROXY TCP4 192.0.2.7 127.0.0.1 55001 8443\r\n')
  })
  it('writes an IPv4 client of a dual-stack listener as IPv4', () => {
    expect(
      proxyHeader({ ...ends, remoteAddress: '::ffff:192.0.2.7', localAddress: '::ffff:127.0.0.1' }),
    ).toBe('PROXY TCP4 192.0.2.7 127.0.0.1 55001 8443\r\n')
  })
  it('writes an IPv6 client as TCP6', () => {
    expect(proxyHeader({ ...ends, remoteAddress: '2001:db8::1', localAddress: '::1' })).toBe(
      'PROXY TCP6 2001:db8::1 ::1 55001 8443\r\n',
    )
  })
  it('says UNKNOWN rather than mix two families', () => {
    expect(proxyHeader({ ...ends, remoteAddress: '2001:db8::1' })).toBe('PROXY UNKNOWN\r\n')
  })
})
